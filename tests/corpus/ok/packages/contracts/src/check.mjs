import { readFileSync } from 'node:fs';

const contract = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));
const bare = Object.entries(contract.paths).filter(([, methods]) => Object.keys(methods).length === 0);
for (const [path] of bare) console.error(`${path} has no operation`);
process.exitCode = bare.length === 0 ? 0 : 1;
