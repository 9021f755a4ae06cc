/** A terminal into which a test types the lines of a page. A folder stands for the root of the machine. @module */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { callOperator } from '../../src/operator/client.ts'
import { eventually } from './node-process.ts'
import { freePort, main, root, run, type Running, type Settings } from './serve-process.ts'

export interface Terminal {
  /** What this machine has in the place of what the page names. */
  readonly here: (text: string) => string
  /** Types lines, and waits for the end of each. Answers what they printed. They must succeed. */
  readonly type: (lines: string | readonly string[], secrets?: Secrets) => Promise<string>
  /** Types a line that must be refused, and answers what it printed. */
  readonly refused: (line: string) => Promise<string>
  /** The server that the last line with `trent serve` started. */
  readonly server: () => Running
  /** Asks that server through its operator door. */
  readonly ask: (operation: string, input?: object) => Promise<Answer>
}

/** What is typed when a line asks for a secret, by the beginning of the line. */
type Secrets = Readonly<Record<string, string>>

/** The members that tests read, of the answers of several operations. */
export interface Answer {
  readonly stage?: string
  readonly sealed?: boolean
  readonly ready?: boolean
  readonly version?: string
  readonly shares?: readonly string[]
  readonly seal?: { readonly recovery?: boolean; readonly former?: { readonly state: string } }
}

interface Machine {
  readonly settings?: Settings
  /** More of what stands for what, for example a free port for the one of the page. */
  readonly stands?: Readonly<Record<string, string>>
  /** Lines that the test itself carries out, for example those of systemd. */
  readonly own?: Readonly<Record<string, () => Promise<unknown>>>
  /** The data directory of the server; `data` in the folder unless given. */
  readonly data?: string
}

const doorMsMax = 240_000
/** Nobody but root can give a file to somebody else. */
const own = { user: String(process.getuid?.()), group: String(process.getgid?.()) }
/** Compiled code goes from one test to the next. */
const home = mkdtempSync(join(tmpdir(), 'trent-home-'))
process.on('exit', () => rmSync(home, { recursive: true, force: true }))

/** Waits until a server that was started answers, and has chosen its seal: before, it takes no secrets. */
export async function answering(server: Running, ask: Terminal['ask']): Promise<void> {
  await eventually(doorMsMax, async () => {
    assert.equal(server.child.exitCode, null, server.stderr())
    return ask('GetStatus').then(
      (status) => 'seal' in status,
      () => false,
    )
  })
}

export function openTerminal(t: TestContext, folder: string, machine: Machine = {}): Terminal {
  const { stands = {}, data = join(folder, 'data') } = machine
  const bin = join(folder, 'bin')
  for (const each of ['bin', 'etc/trent']) mkdirSync(join(folder, each), { recursive: true })
  const program = `'${process.execPath}' --import '${root}/scripts/compile-cache.mjs' '${main}'`
  writeFileSync(join(bin, 'trent'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 })
  const settings = {
    ...freePort(folder),
    HOME: home,
    PATH: `${folder}/usr/local/bin:${bin}:${process.env['PATH'] ?? ''}`,
    ...machine.settings,
  }
  const here = (text: string): string =>
    Object.entries(stands).reduce(
      (changed, [page, value]) => changed.replaceAll(page, value),
      text
        .replaceAll(/(?<![\w.])\/(etc|opt|var|usr\/local)\//g, `${folder}/$1/`)
        .replace(/^install .*/, (line) =>
          line.replace(' -o trent', ` -o ${own.user}`).replace(' -g trent', ` -g ${own.group}`),
        ),
    )
  /** What holds for all lines that follow. */
  const lasting: string[] = []
  const bash = (line: string): Running =>
    run(t, ['bash', '-euo', 'pipefail', '-c', [...lasting, line].join('\n')], settings, folder)
  let server: Running | undefined
  const ask: Terminal['ask'] = async (operation, input) =>
    (await callOperator(data, operation, input)) as Answer
  const serve = async (line: string): Promise<void> => {
    const started = bash(line.replace(/trent serve( &)?$/, 'exec trent serve'))
    server = started
    // The page tells people to wait, too.
    await answering(started, ask)
  }
  const typeOne = async (line: string, secrets: Secrets): Promise<string> => {
    const carriedOut = machine.own?.[line]
    if (carriedOut !== undefined) await carriedOut()
    else if (/^(?:export|umask) /.test(line)) lasting.push(here(line))
    else if (/\btrent serve( &)?$/.test(line)) await serve(here(line))
    else {
      const [, secret] = Object.entries(secrets).find(([start]) => line.startsWith(start)) ?? []
      const typed = secret === undefined ? here(line) : `{ ${here(line)}\n} <<< '${secret}'`
      const running = bash(typed)
      const { code } = await running.ended
      assert.equal(code, 0, `${line}\n${running.stderr()}${running.stdout()}`)
      return running.stdout()
    }
    return ''
  }
  return {
    here,
    async type(lines, secrets = {}) {
      let printed = ''
      for (const line of [lines].flat()) printed += await typeOne(line, secrets)
      return printed
    },
    async refused(line) {
      const running = bash(here(line))
      const { code } = await running.ended
      assert.notEqual(code, 0, `${line}\n${running.stdout()}`)
      return running.stderr()
    },
    server: () => server ?? assert.fail('no line started a server'),
    ask,
  }
}
