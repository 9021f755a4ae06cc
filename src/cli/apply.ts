/** `trent apply`: makes accounts match a file, through the operator door. @module */
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator, OperatorCallFailed } from '../operator/client.ts'
import type { Ask } from '../operator/inside.ts'
import type { Applied } from '../operations/trent/apply.ts'
import { type DocumentFile, readDocumentFile } from './document-file.ts'
import { withMaterials } from './given-materials.ts'
import { printed } from './printed.ts'

export interface ApplyOptions {
  readonly json?: true
  readonly dryRun?: true
  readonly prune?: true
}

export async function applyFile(
  configFile: string | undefined,
  path: string,
  options: ApplyOptions,
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const applied = await askToApply(path, options, (operation, input) =>
      callOperator(operatorDirectory, operation, input),
    )
    warn(applied)
    return [applied, changesText]
  })
}

/** Bytes of the largest request that the operator door accepts. */
const requestBytesMax = 2 ** 20

/** @throws {ConfigError} one line with the position in the file @throws {OperatorCallFailed} */
export async function askToApply(
  path: string,
  { dryRun, prune }: Omit<ApplyOptions, 'json'>,
  ask: Ask,
): Promise<Applied> {
  const file = readDocumentFile(path)
  const input = { document: withMaterials(file), dryRun, prune }
  if (Buffer.byteLength(JSON.stringify(input)) > requestBytesMax) {
    throw new ConfigError(`${path}:1:1: the file is too large for one request`)
  }
  try {
    return (await ask('Apply', input)) as Applied // the same program answers
  } catch (error) {
    throw (error instanceof OperatorCallFailed && refusalIn(file, error.message)) || error
  }
}

const placedPattern = /^(#(?:\/\S*)?) ([^]*)$/

function refusalIn({ faultAt }: DocumentFile, message: string): Error | undefined {
  const [, pointer, said] = placedPattern.exec(message) ?? []
  return pointer === undefined || said === undefined ? undefined : faultAt(pointer, said)
}

/** Prints to standard error, so that the answer on standard output stays readable by programs. */
export function warn({ warnings }: Applied): void {
  for (const warning of warnings) process.stderr.write(`trent: WARNING: ${warning}\n`)
}

const verbs: Readonly<Record<Applied['changes'][number]['change'], string>> = {
  create: 'made',
  update: 'changed',
  delete: 'deleted',
  scheduleDeletion: 'scheduled for deletion in 30 days',
}

export function changesText({ changes, dryRun }: Applied): string {
  if (changes.length === 0) return 'nothing to change\n'
  const lines = changes.map(({ change, type, name, members }) => {
    const which = members === undefined ? '' : ` (${members.join(', ')})`
    return `${dryRun ? 'would be ' : ''}${verbs[change]}: ${type} ${name}${which}\n`
  })
  const count = changes.length === 1 ? '1 change' : `${changes.length} changes`
  return `${lines.join('')}${count}${dryRun ? ', none made: this was a dry run' : ''}\n`
}
