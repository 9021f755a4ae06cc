/** `trent backup` and `trent backup verify`. @module */
import { createReadStream, existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { BackupRefused, readBackup } from '../backup/format.ts'
import { checkStructure, verifyRows, type VerifiedBackup } from '../backup/verify.ts'
import { ConfigError, loadConfig } from '../config.ts'
import { replaceFileByPieces } from '../disk/durable.ts'
import { codeOf } from '../disk/error-code.ts'
import { nodeFiles } from '../disk/files.ts'
import { visible, visibleIn, inJson } from '../model/visible.ts'
import { callOperator, OperatorCallFailed } from '../operator/client.ts'
import type { BegunBackup, ReadBackupPart } from '../operations/contract/backup-controls.ts'
import { openKeyring, type SealChoice } from './open-backup.ts'
import { createProgress, type Progress } from './progress.ts'

interface TakenBackup extends BegunBackup {
  readonly bytes: number
}

/** Takes a backup into a new file, or to standard output. A terminal shows its progress. */
export async function takeBackup(
  configFile: string | undefined,
  file: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await reported(async () => {
    if (file === undefined) throw new ConfigError('name the file of the backup, or `-`')
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const path = file === '-' ? undefined : resolve(file)
    if (path !== undefined && existsSync(path)) throw new ConfigError(`${path} is there already`)
    if (path === undefined && process.stdout.isTTY) {
      throw new ConfigError('a backup is binary: send it to a file or a pipe')
    }
    const begun = (await callOperator(operatorDirectory, 'BeginBackup')) as BegunBackup
    let bytes = 0
    const progress = createProgress(process.stderr, begun.rows, 'rows')
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const part of partsOf(operatorDirectory, begun, progress)) {
        bytes += part.length
        yield part
      }
    }
    const writing =
      path === undefined
        ? toStandardOutput(counted())
        : replaceFileByPieces(nodeFiles, path, counted())
    await writing.finally(progress.end)
    const taken: TakenBackup = { ...begun, bytes }
    // Standard output may be the backup itself.
    const output = path === undefined ? process.stderr : process.stdout
    output.write(options.json ? inJson(taken) : takenText(path ?? 'standard output', taken))
    return 0
  })
}

async function* partsOf(
  operatorDirectory: string,
  { id }: BegunBackup,
  progress: Progress,
): AsyncGenerator<Buffer> {
  for (let part = 1; ; part += 1) {
    const asked = callOperator(operatorDirectory, 'ReadBackup', { id, part })
    const read = (await asked) as ReadBackupPart
    yield Buffer.from(read.bytes, 'base64')
    if (read.isLast) return
    progress.reached(read.rows)
  }
}

async function toStandardOutput(pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) {
    await new Promise<void>((done, failed) => {
      process.stdout.write(piece, (error) => (error ? failed(error) : done()))
    })
  }
}

function takenText(to: string, { change, rows, bytes, createdAt }: TakenBackup): string {
  return `${visible(to)}: ${rows} rows up to change ${change} at ${createdAt}, ${bytes} bytes\n`
}

interface Verified {
  readonly file: string
  readonly whole: boolean
  readonly deploymentId: string
  readonly createdAt: string
  readonly change: number
  readonly rows: number
  /** Absent without the seal: the rows were not opened. */
  readonly opened?: VerifiedBackup
}

/** Exit status 0 only if the backup is whole. */
export async function verifyBackup(
  configFile: string | undefined,
  file: string,
  options: SealChoice & { readonly open?: true; readonly json?: true },
): Promise<void> {
  await reported(async () => {
    const reader = await readBackup(bytesOf(file))
    const { deploymentId, change, rows, createdAt } = reader.header
    const opens = options.open ?? options.recovery ?? options.sealKey !== undefined
    let opened: VerifiedBackup | undefined
    if (opens) {
      const keyring = await openKeyring(reader, options, () => loadConfig(process.env, configFile))
      const progress = createProgress(process.stderr, rows, 'rows')
      opened = await verifyRows(reader, keyring, progress.reached).finally(progress.end)
    } else await checkStructure(reader)
    const verified: Verified = {
      file: file === '-' ? file : basename(file),
      whole: (opened?.forgedCount ?? 0) === 0,
      deploymentId,
      createdAt: new Date(createdAt).toISOString(),
      change,
      rows,
      ...(opened && { opened }),
    }
    process.stdout.write(options.json ? inJson(verified) : verifiedText(visibleIn(verified)))
    return verified.whole ? 0 : 1
  })
}

function verifiedText(verified: Verified): string {
  const { file, deploymentId, createdAt, change, rows, opened } = verified
  const about = `${file}: deployment ${deploymentId}, ${rows} rows up to change ${change} at ${createdAt}\n`
  if (opened === undefined) {
    return `${about}its bytes are as they were written; with --open, the rows are checked too\n`
  }
  const { forged, forgedCount, genuine } = opened
  const broken = forged.map((row) => `BROKEN ${row}: its tag is wrong: someone else wrote it\n`)
  const more = forgedCount > forged.length ? `and ${forgedCount - forged.length} more\n` : ''
  const end = forgedCount === 0 ? `whole: ${genuine} rows with a genuine tag\n` : 'NOT WHOLE\n'
  return `${about}${broken.join('')}${more}${end}`
}

/** The bytes of a file, or of standard input for `-`. */
export async function* bytesOf(file: string): AsyncGenerator<Buffer> {
  try {
    const stream = file === '-' ? process.stdin : createReadStream(file)
    for await (const chunk of stream) yield chunk as Buffer
  } catch (cause) {
    const code = codeOf(cause) ?? 'unknown'
    throw new ConfigError(`${file} cannot be read: ${code}`, { cause })
  }
}

/** Prints an expected failure as one line. */
export async function reported(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    const isExpected =
      error instanceof ConfigError ||
      error instanceof OperatorCallFailed ||
      error instanceof BackupRefused
    if (!isExpected) throw error
    process.stderr.write(`trent: ${visible(error.message)}\n`)
    process.exitCode = 1
  }
}
