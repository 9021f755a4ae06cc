/**
 * `trent serve --build-console`: builds the console's pages in a process of its own, while the server
 * answers. `npm start` does this in a checkout. A release has built pages and never builds.
 * @module
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Logger } from 'pino'

const script = join(import.meta.dirname, '../../scripts/build-console.mjs')

export function buildConsole(log: Pick<Logger, 'warn'>): void {
  const child = spawn(process.execPath, [script], {
    // The build runs code of packages. It does not get the server's secrets.
    env: withoutSettings(process.env),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000)
  })
  child.on('error', (err) => log.warn({ err }, 'the build of the console did not start'))
  child.on('exit', (code, signal) => {
    if (code === 0) return
    log.warn({ code, signal, stderr }, 'the console is not built: try `npm run build:console`')
  })
  process.on('exit', () => child.kill())
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !/^(?:TRENT|AWS)_/.test(name))
  return Object.fromEntries(kept)
}
