/**
 * Runs the programs of tpm2-tools, one command at a time. Secrets go to them on standard input, or as an open
 * file, and come back on standard output. The files between two commands hold only what the TPM encrypted.
 * @see https://tpm2-tools.readthedocs.io/
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { access, constants, lstat, readdir, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../disk/error-code.ts'

export interface TpmPlace {
  /** How the tools reach the TPM, as TPM2TOOLS_TCTI says it. */
  readonly tcti: string
  /** Milliseconds for one command. */
  readonly callMsMax: number
}

/** One use of a TPM. */
export interface Tpm {
  /**
   * Runs `tpm2 <command>`. Its words are separated by spaces; file names are of the folder of this use.
   * @param given.input standard input
   * @param given.file is `authFile` to the command
   * @returns what it prints. The caller overwrites it.
   * @throws {TpmError}
   */
  readonly run: (command: string, given?: Given) => Promise<Buffer>
  readonly folder: string
}

interface Given {
  readonly input?: Uint8Array
  readonly file?: FileHandle
}

/** What the file of `Given` is to the command, as an authorization value. */
export const authFile = 'file:/dev/fd/3'

interface Failure {
  /** One line, in the words of the tools. */
  readonly message: string
  /** The answer of the TPM, without the part that says which parameter, handle or session it is about. */
  readonly code?: number
  /** The command never reached the TPM, or lost it. */
  readonly isAway?: true
}

/** A command failed. The message is one line. */
export class TpmError extends Error {
  readonly command: string
  readonly code: number | undefined
  readonly isAway: boolean

  constructor(command: string, { message, code, isAway }: Failure, options?: ErrorOptions) {
    super(message, options)
    this.command = command
    this.code = code
    this.isAway = isAway === true
  }
}

const noTools = 'there is no program `tpm2`: install tpm2-tools'
const away = { isAway: true } as const
/** Parts of a response code that say who answers. @see TCG TSS 2.0 Overview, 3.2 */
const tpmLayer = 0
const tctiLayer = 10
const outputBytesMax = 65_536
const messageCharactersMax = 300

/** The TPM keeps a session until this file, or a restart of the machine, ends it. */
export const sessionFile = 'session'

const folderStart = 'trent-tpm2-'
/** Folders of this process that are in use. */
const inUse = new Set<string>()

/** The last use of this process. Without a resource manager, two at once would clear each other's objects. */
let last: Promise<unknown> = Promise.resolve()

/**
 * Uses the TPM in a folder of this use alone, which is deleted afterwards. Uses wait for one another.
 * @throws {TpmError}
 */
export function useTpm<T>(place: TpmPlace, use: (tpm: Tpm) => Promise<T>): Promise<T> {
  const used = last.then(() => useAlone(place, use))
  last = used.catch(() => undefined)
  return used
}

async function useAlone<T>(place: TpmPlace, use: (tpm: Tpm) => Promise<T>): Promise<T> {
  const parent = await memoryFolder()
  await removeLeft(place, parent)
  // Another use of this process must not see it before it is in the set.
  const folder = mkdtempSync(join(parent, `${folderStart}${process.pid}-`))
  inUse.add(folder)
  // Without a resource manager, a TPM has room for about three objects, and each command leaves one there.
  const clear = (): Promise<Buffer> => run(place, folder, 'flushcontext -t')
  try {
    return await use({
      folder,
      async run(command, given) {
        await clear()
        return run(place, folder, command, given)
      },
    })
  } finally {
    await clear().catch(() => undefined)
    await rm(folder, { recursive: true, force: true })
    inUse.delete(folder)
  }
}

/** Removes what processes left that were killed in a use of the TPM: a folder, and a session in the TPM. */
async function removeLeft(place: TpmPlace, parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(folderStart))
  for (const folder of names.map((name) => join(parent, name))) {
    if (inUse.has(folder) || !(await isLeft(folder))) continue
    // A TPM that was reset has no such session any more.
    const isAway = await access(join(folder, sessionFile))
      .then(() => run(place, folder, `flushcontext ${sessionFile}`))
      .then(
        () => false,
        (error: unknown) => error instanceof TpmError && error.isAway,
      )
    if (isAway) return
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether its process is gone. Anyone can write in /dev/shm, so another user's folder is never touched. */
async function isLeft(folder: string): Promise<boolean> {
  const [, pid] = new RegExp(`/${folderStart}(\\d{1,10})-[^/]+$`).exec(folder) ?? []
  const found = await lstat(folder).catch(() => undefined)
  if (pid === undefined || !found?.isDirectory() || found.uid !== process.geteuid?.()) return false
  // In a container, each start can have the same id.
  return Number(pid) === process.pid || !isRunning(Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs for another user.
    return codeOf(error) === 'EPERM'
  }
}

/** A folder in memory if there is one: contexts of sessions are not for a disk. */
async function memoryFolder(): Promise<string> {
  for (const folder of [process.env['RUNTIME_DIRECTORY'], '/dev/shm']) {
    if (folder === undefined) continue
    const isUsable = await access(folder, constants.W_OK).then(
      () => true,
      () => false,
    )
    if (isUsable) return folder
  }
  return tmpdir()
}

async function run(
  { tcti, callMsMax }: TpmPlace,
  folder: string,
  words: string,
  { input, file }: Given = {},
): Promise<Buffer> {
  const parameters = words.split(' ')
  const [command = ''] = parameters
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const fail = (failure: Failure, cause?: unknown): void =>
    reject(new TpmError(command, failure, { cause }))
  const notRun = (message: string, cause?: unknown): void => fail({ message, ...away }, cause)
  const signal = AbortSignal.timeout(callMsMax)
  const child = spawn('tpm2', parameters, {
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TPM2TOOLS_TCTI: tcti },
    stdio: ['pipe', 'pipe', 'pipe', file?.fd ?? 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  })
  const output: Buffer[] = []
  let outputBytes = 0
  let errors = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    outputBytes += bytes.length
    if (outputBytes <= outputBytesMax) output.push(bytes)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < outputBytesMax) errors += text
  })
  // A command that fails early does not read its input.
  child.stdin?.on('error', () => undefined).end(input)
  child.on('error', (cause) => {
    // A program that waits for a device does not end when it is killed, so nobody waits for that.
    if (signal.aborted) notRun(`the TPM did not answer within ${callMsMax / 1000} seconds`, cause)
    else if (codeOf(cause) === 'ENOENT') notRun(noTools, cause)
    else notRun('the program `tpm2` did not start', cause)
  })
  child.on('close', (status, killedBy) => {
    const all = Buffer.concat(output)
    for (const part of output) part.fill(0)
    if (status === 0 && outputBytes <= outputBytesMax) return resolve(all)
    all.fill(0)
    if (killedBy === null) fail(failureOf(errors))
    else notRun(`the program \`tpm2\` ended by ${killedBy}`)
  })
  return promise
}

function failureOf(errors: string): Failure {
  const [, digits, words = ''] = /^ERROR: \w+\(0x([0-9A-Fa-f]+)\) - (.*)$/m.exec(errors) ?? []
  if (digits === undefined) {
    const [, line = 'the tools say nothing'] = /^ERROR:(?:\w+:\S+\(\))? ?(.*)$/m.exec(errors) ?? []
    return { message: oneLine(line), ...(errors.includes('Could not load tcti') && away) }
  }
  const code = Number.parseInt(digits, 16)
  const layer = code >>> 16
  return {
    message: oneLine(words),
    ...(layer === tpmLayer && { code: withoutPosition(code) }),
    ...(layer === tctiLayer && away),
  }
}

function oneLine(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, messageCharactersMax)
}

/** @see TPM 2.0 Library, Part 1, 39.4: bit 7 says that bits 6 and 8 to 11 are a position */
function withoutPosition(code: number): number {
  return (code & 0x80) === 0 ? code : code & 0xbf
}
