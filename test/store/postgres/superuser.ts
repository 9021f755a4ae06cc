/** Statements of a server's superuser. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type QueryResult } from 'pg'

export interface ServerAddress {
  readonly port: number
  readonly superuser: string
  readonly password: string
}

/** Returns the rows of the last statement. */
export async function asSuperuser(
  { port, superuser, password }: ServerAddress,
  database: string,
  statements: string,
): Promise<readonly Record<string, unknown>[]> {
  const host = '127.0.0.1'
  const client = new Client({ host, port, user: superuser, password, database, ssl: false })
  await client.connect()
  try {
    const result = (await client.query(statements)) as QueryResult | QueryResult[]
    const last = Array.isArray(result) ? result.at(-1) : result
    return (last?.rows ?? []) as readonly Record<string, unknown>[]
  } finally {
    await client.end()
  }
}

/** Waits, for at most half a minute, until a condition holds in the database `postgres`. */
export async function untilSo(server: ServerAddress, condition: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 20) {
    const [row] = await asSuperuser(server, 'postgres', `SELECT (${condition}) AS is_so`)
    if (row?.['is_so'] === true) return
    await sleep(20)
  }
  throw new Error(`it did not come to be so: ${condition}`)
}
