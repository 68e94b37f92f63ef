const { appendFileSync } = require("node:fs");

appendFileSync(process.env.GITHUB_STATE, `started=${Date.now()}\n`);
console.log(`started for ${process.env.INPUT_LABEL}`);
