// Sets formulas with KaTeX: one request a line on standard input, one answer a line on standard output, both JSON.
// It ends when its input ends, so it never outlives the process that asked.
"use strict";
const katex = require("./katex.min.js");

function typeset({ formula, display, output, macros }) {
  try {
    const html = katex.renderToString(formula, {
      displayMode: display,
      output,
      throwOnError: true,
      // What LaTeX would not accept, the PDF could not show: refuse it here, where the message names the line.
      strict: "error",
      // Commands that reach outside the formula (\href, \includegraphics) would be shown in red instead of refused.
      trust: ({ command }) => {
        throw new Error(`${command} is not allowed in formulas`);
      },
      macros: { ...macros },
    });
    return { html };
  } catch (error) {
    const position = typeof error.position === "number" ? error.position : null;
    return { error: error.rawMessage || error.message, position };
  }
}

require("node:readline")
  .createInterface({ input: process.stdin, crlfDelay: Infinity })
  .on("line", (line) => process.stdout.write(JSON.stringify(typeset(JSON.parse(line))) + "\n"));
