/** `trent database accept-loss` on the machine of a node. @module */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { NodeProcess } from './node-process.ts'

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

/** What it says with `--json`. */
export interface Listed {
  readonly changes: readonly unknown[]
  readonly reused: number
  readonly accepted: boolean
}

/** @param given its options, `--json` among them */
export async function acceptLoss(node: NodeProcess, given: readonly string[]): Promise<Listed> {
  const words = [main, 'database', 'accept-loss', ...given]
  return await new Promise((resolve, reject) => {
    const settings = { env: { ...node.environment }, cwd: node.folder, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, words, settings, (error, stdout, stderr) => {
      // It ends with 1 if nothing is accepted.
      if (stdout.startsWith('{')) resolve(JSON.parse(stdout) as Listed)
      else reject(new Error(`accept-loss: ${stdout}${stderr}`, { cause: error }))
    })
  })
}
