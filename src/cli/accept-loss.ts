/**
 * `trent accept-loss`: reports the changes that the database has lost, and records the operator's
 * decision to start without them. It reads the files, because a server with lost changes does not
 * start.
 * @module
 */
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { toldMissing, writeAcceptedLoss } from '../server/accepted-loss.ts'
import { nodeFiles } from '../disk/files.ts'
import { findJournal } from '../audit/journal/found-journal.ts'
import { findMissingChanges, type MissingChanges } from '../audit/journal/missing-changes.ts'
import { type Config, ConfigError, loadConfig } from '../config.ts'
import { createClock } from '../jobs/clock.ts'
import { readStoredState } from '../store/offline.ts'
import { readPostgresState } from '../store/postgres/postgres-state.ts'
import { printed } from './printed.ts'

type Answer = MissingChanges & { readonly accepted: boolean }

export async function acceptLoss(
  configFile: string | undefined,
  id: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const config = loadConfig(process.env, configFile)
    const { dataDirectory } = config
    const missing = await missingIn(config)
    if (missing === undefined) {
      throw new ConfigError('the database holds every change in the audit journal')
    }
    if (id !== undefined && id !== missing.id) {
      throw new ConfigError(
        `${id} does not match: the changes missing now have the id ${missing.id}`,
      )
    }
    if (id !== undefined) {
      const acceptedBy = userInfo().username
      const acceptance = {
        id,
        acceptedAt: new Date(createClock().system()).toISOString(),
        acceptedBy,
      }
      await writeAcceptedLoss(dataDirectory, acceptance, nodeFiles)
    }
    return [{ ...missing, accepted: id !== undefined }, asText]
  })
}

async function missingIn({
  dataDirectory,
  databaseUrl,
}: Config): Promise<MissingChanges | undefined> {
  const isEmbedded = databaseUrl === undefined
  const path = isEmbedded ? join(dataDirectory, 'trent.db') : 'the database'
  const directory = join(dataDirectory, 'journal')
  const state = isEmbedded ? readStoredState(path) : await readPostgresState(databaseUrl)
  if (state.kind !== 'deployment') {
    throw new ConfigError(`${path} cannot be read: it is missing or empty, or a server is using it`)
  }
  const { streams } = await findJournal({ files: nodeFiles, directory })
  return findMissingChanges({ files: nodeFiles, directory, streams }, state)
}

function asText(answer: Answer): string {
  const { accepted, id, keys, keyCount } = answer
  const hidden = keyCount - keys.length
  const lines = [
    `the database lacks ${toldMissing(answer)}`,
    ...keys.map((key) => `  ${key}`),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    accepted
      ? 'accepted: the next start goes on without them'
      : `to go on without them: trent accept-loss ${id}`,
  ]
  return `${lines.join('\n')}\n`
}
