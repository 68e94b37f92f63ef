import { readFileSync } from 'node:fs';

const [current, baseline, ...options] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const tolerance = Number(options[options.indexOf('--tolerance') + 1] ?? 10);
const now = read(current).metrics?.http_req_duration?.['p(95)'] ?? 0;
const then = read(baseline).p95;
console.log(`p95 ${now} ms, baseline ${then} ms`);
process.exitCode = now > then * (1 + tolerance / 100) ? 1 : 0;
