/** Runs `trent verify-database` in both of its forms. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { verifyDatabase, type VerifyDatabaseOptions } from '../../src/cli/verify-database.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { fileSeal } from '../../src/seals/file.ts'

export interface Told {
  readonly status: number
  readonly text: string
  readonly report: {
    readonly whole: boolean
    readonly rows: number
    readonly opened: number
    readonly error?: string
    readonly findings: readonly {
      readonly table: string
      readonly row?: string
      readonly why: string
    }[]
  }
}

export function verify(folder: string, sealKey = join(folder, 'seal.key')): Promise<Told> {
  return verifyIn({ file: join(folder, 'trent.db') }, sealKey)
}

export async function verifyIn(
  database: VerifyDatabaseOptions['database'],
  sealKey: string,
): Promise<Told> {
  const said: string[] = []
  const options = {
    database,
    seal: fileSeal(sealKey, systemRandom),
    askSecret: () => assert.fail('a key file asks for nothing'),
    output: { write: (text: string) => said.push(text) },
  }
  const status = await verifyDatabase({ ...options, json: true })
  assert.equal(await verifyDatabase({ ...options, json: false }), status)
  const [report = '', text = ''] = said
  return { status, text, report: JSON.parse(report) as Told['report'] }
}
