import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { type: { type: 'string' }, name: { type: 'string' }, out: { type: 'string' } },
});
mkdirSync(values.out, { recursive: true });
writeFileSync(`${values.out}/package.json`, JSON.stringify({ name: values.name, keywords: [values.type] }, null, 2));
