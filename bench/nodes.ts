/**
 * Measures several nodes on one database: what a call costs on SQLite and on PostgreSQL, with one node and with
 * two; how long a change needs to reach another node; what the row of the last change carries; and how long there
 * is no service when the primary changes.
 *
 * `node bench/nodes.ts [calls] [spread] [head] [failover]`: the parts to measure, all of them by default. Options:
 * `--requests` of Encrypt to each deployment, of which CreateKey and CreateGrant get a fifth; `--changes` whose
 * way to another node is measured; `--seconds` of load on the row of the last change; `--failovers` of each kind.
 * @module
 */
import { parseArgs } from 'node:util'
import { measureCalls } from './nodes/calls.ts'
import { measureFailover } from './nodes/failover.ts'
import { measureHead } from './nodes/head.ts'
import { startDatabase } from './nodes/postgres.ts'
import { measureSpread } from './nodes/spread.ts'
import { print } from './table.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string', default: '3000' },
    changes: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '3' },
    failovers: { type: 'string', default: '1' },
  },
})

function number(name: keyof typeof values): number {
  const value = Number(values[name])
  if (value > 0) return value
  throw new Error(`--${name} must be a number above 0`)
}

const postgres = await startDatabase()
print(`PostgreSQL ${postgres.version}, with fsync`)
const parts = new Map([
  ['calls', () => measureCalls(postgres, number('requests'))],
  ['spread', () => measureSpread(postgres, number('changes'))],
  ['head', () => measureHead(postgres, number('seconds'))],
  ['failover', () => measureFailover(number('failovers'))],
])
try {
  for (const name of positionals.length > 0 ? positionals : parts.keys()) {
    const measure = parts.get(name)
    if (measure === undefined) throw new Error(`no part ${name}: ${[...parts.keys()].join(', ')}`)
    await measure()
  }
} finally {
  await postgres.stop()
}
