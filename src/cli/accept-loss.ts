/**
 * `trent database accept-loss`: lists the changes that the nodes' journals hold and the database lacks, and
 * goes on without them. What they took away is taken away again. It reads the files and the database itself,
 * because a node with lost changes does not start.
 * @module
 */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { loggedChangeOf, type LoggedChange } from '../backup/logged-changes.ts'
import { takeAway } from '../backup/take-away.ts'
import { takenAway } from '../backup/taken-away.ts'
import { type Config, ConfigError, loadConfig } from '../config.ts'
import { keyringOf } from '../crypto/domain-keys.ts'
import { systemRandom } from '../crypto/entropy.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { nodeFiles } from '../disk/files.ts'
import { createClock } from '../jobs/clock.ts'
import { changeOf, type RecordedChange } from '../model/change-number.ts'
import { isRetired, nodeOfStream, streamOf } from '../model/node.ts'
import { visibleIn } from '../model/visible.ts'
import { sealOf } from '../seals/choose.ts'
import { isOfSeal } from '../seals/seal.ts'
import { acceptLoss, adoptWriters, rehearse } from '../server/accepted-loss.ts'
import { readApplied } from '../server/applied.ts'
import { readNodeId } from '../server/node-id.ts'
import { deploymentUnder } from '../server/root-key.ts'
import { createStore } from '../store/bound-store.ts'
import { type Database, DatabaseInUse } from '../store/database.ts'
import { openDatabase } from '../store/open.ts'
import { readPostgresHistory } from '../store/postgres/postgres-state.ts'
import { readStoredHistory } from '../store/offline.ts'
import type { Store } from '../store/store.ts'
import { lacks, type StoredHistory } from '../store/stored-history.ts'
import { readDeployment, type DeploymentRecord } from '../store/tables/deployment.ts'
import { printed } from './printed.ts'
import { journalsOf, readArchive, readJournals, type LogSources } from './restore-log.ts'
import { openSealed, readSecret } from './secret-input.ts'
import { changeLine, recordedChangesMax, shownChange, type ShownChange } from './shown-changes.ts'

interface Options extends LogSources {
  readonly yes?: true
  readonly json?: true
}

interface Lost {
  /** In the order of their numbers. */
  readonly changes: readonly LostChange[]
  /** Numbers that other changes have now. */
  readonly reused: number
  /** Changes without a record in the logs that were read. */
  readonly unnamed: number
  /** Nodes whose journal was not read. */
  readonly unread: readonly string[]
  readonly accepted: boolean
}

interface LostChange extends ShownChange {
  /**
   * `again`: it took something away, and that is taken away again. `given`: what it gave is lost, and the
   * database has nothing that it took away. `unknown`: it cannot be repeated from the log.
   */
  readonly effect: 'again' | 'given' | 'unknown'
}

export async function acceptLostChanges(
  configFile: string | undefined,
  options: Options,
): Promise<void> {
  await printed(options, async () => {
    const config = loadConfig(process.env, configFile)
    const { dataDirectory, databaseUrl: url } = config
    const history = await historyOf(config)
    const path = join(dataDirectory, 'trent.db')
    const database = await openDatabase({ path, url }).catch((error: unknown) => {
      if (!(error instanceof DatabaseInUse)) throw error
      throw new ConfigError('a server has the database open: stop it first')
    })
    try {
      const deployment = await readDeployment(database)
      if (deployment === undefined) throw new ConfigError('the database holds no deployment')
      const keyring = await opened(config, deployment)
      const store = createStore(database, keyring, { onForgedRow: () => undefined })
      const of = { deployment, keyring, history, database, store }
      const found = await findLost(config, of, options)
      const isMeant = options.yes === true || (await isTyped(found.lost))
      if (isMeant) await goOn(config, { database, keyring, store, ...found })
      else if (options.json === true) process.exitCode = 1
      else {
        process.stdout.write(asText(visibleIn({ ...found.lost, accepted: false })))
        throw new ConfigError(
          'nothing is accepted, and nothing was changed: --yes accepts the loss',
        )
      }
      return [{ ...found.lost, accepted: isMeant }, asText]
    } finally {
      await database.close()
    }
  })
}

async function historyOf({ dataDirectory, databaseUrl }: Config): Promise<StoredHistory> {
  const path = join(dataDirectory, 'trent.db')
  if (databaseUrl === undefined && !existsSync(path)) throw new ConfigError(`${path} is missing`)
  const history =
    databaseUrl === undefined
      ? readStoredHistory(path, 0)
      : await readPostgresHistory(databaseUrl, 0)
  if (history !== undefined) return history
  throw new ConfigError(`${path} cannot be read: a server is using it, or it is no database`)
}

async function opened({ seal }: Config, deployment: DeploymentRecord): Promise<Keyring> {
  const { deploymentId } = deployment
  const record = deployment.seal.sealedRootKey
  try {
    const chosen = sealOf(seal, systemRandom)
    const rootKey = await openSealed(chosen, record, deploymentId, (shown) => readSecret(shown))
    const { domainKeys } = deploymentUnder(rootKey, deployment)
    return keyringOf(deploymentId, domainKeys, systemRandom)
  } catch (cause) {
    if (!isOfSeal(cause)) throw cause
    throw new ConfigError(`the seal does not open: ${cause.message}`, { cause })
  }
}

interface Found {
  readonly lost: Omit<Lost, 'accepted'>
  readonly apply: readonly LoggedChange[]
  readonly recorded: readonly RecordedChange[]
}

/** @throws {ConfigError} if a log cannot be believed, or nothing is lost */
async function findLost(
  { dataDirectory }: Config,
  of: {
    readonly deployment: DeploymentRecord
    readonly keyring: Keyring
    readonly history: StoredHistory
    readonly database: Database
    readonly store: Store
  },
  { journal = [], delivered = [] }: LogSources,
): Promise<Found> {
  const { deployment, keyring, history, database, store } = of
  const logged = new Map<string, LoggedChange>()
  const recorded = new Map<string, RecordedChange>()
  const log = {
    see(record: unknown): void {
      const { seq, changeId = '' } = changeOf(record)
      const change = loggedChangeOf(record)
      if (seq === undefined || change === undefined || !lacks(history, changeOf(record))) return
      logged.set(change.id, change)
      recorded.set(changeId === '' ? `${seq}` : changeId, { seq, changeId })
    },
  }
  const ends = await readJournals(
    await journalsOf(dataDirectory, deployment, journal),
    log,
    keyring,
  )
  for (const directory of delivered) await readArchive(directory, log)
  const applied = await readApplied(dataDirectory, deployment.deploymentId)
  const isUnnamed =
    applied !== undefined && lacks(history, applied) && !recorded.has(applied.changeId)
  if (isUnnamed) recorded.set(applied.changeId, applied)
  if (recorded.size === 0) {
    throw new ConfigError('the database holds every change in the logs that were read')
  }
  const changes = [...logged.values()].toSorted((one, other) => one.change - other.change)
  const { apply, unknown } = takenAway(changes, new Set(Object.keys(takeAway)))
  const outcomes = await rehearse(store, apply, createClock().system())
  const unrepeated = new Set(unknown.map(({ id }) => id))
  const lost = {
    changes: changes.map((change) => {
      const outcome = unrepeated.has(change.id) ? 'left' : outcomes.get(change.id)
      return { ...shownChange(change), effect: effects[outcome ?? 'absent'] }
    }),
    reused: [...recorded.values()].filter(({ seq }) => seq <= history.head).length,
    unnamed: isUnnamed ? 1 : 0,
    unread: await unreadNodes(database, new Set(ends.keys())),
  }
  return { lost, apply, recorded: [...recorded.values()] }
}

const effects = { taken: 'again', left: 'unknown', absent: 'given' } as const

/** Nodes that may have lost changes in a journal of their own. */
async function unreadNodes(
  { query }: Database,
  streams: ReadonlySet<string>,
): Promise<readonly string[]> {
  const read = new Set([...streams].map(nodeOfStream))
  const nodes = await query.selectFrom('nodes').select(['node_id', 'name', 'state']).execute()
  return nodes
    .filter(({ node_id: id, state }) => !isRetired(state) && !read.has(id))
    .map(({ node_id: id, name }) => `${id} (${name})`)
}

const word = 'accept'

/** Only somebody at a terminal is asked. */
async function isTyped(lost: Omit<Lost, 'accepted'>): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false
  process.stderr.write(asText(visibleIn({ ...lost, accepted: false })))
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const typed = await terminal.question(`type \`${word}\` to go on without them: `)
  terminal.close()
  return typed.trim() === word
}

async function goOn(
  config: Config,
  {
    database,
    keyring,
    store,
    lost,
    apply,
    recorded,
  }: Found & { readonly database: Database; readonly keyring: Keyring; readonly store: Store },
): Promise<void> {
  const { dataDirectory, databaseUrl, accountId, region } = config
  const isShared = databaseUrl !== undefined
  const nodeId = isShared ? await readNodeId(dataDirectory, nodeFiles, systemRandom) : undefined
  const now = Math.max(createClock().system(), (await store.findClockMark()) ?? 0)
  const numbers = recorded.map(({ seq }) => seq).toSorted((one, other) => one - other)
  const details = {
    missingRecords: lost.changes.length,
    firstChange: numbers.at(0),
    lastChange: numbers.at(-1),
    reusedNumbers: lost.reused,
    changes: lost.changes.slice(0, recordedChangesMax),
    unreadNodes: lost.unread,
    acceptedBy: userInfo().username,
    acceptedAt: new Date(now).toISOString(),
  }
  const directory = join(dataDirectory, 'journal')
  await database.alone(async () => {
    if (existsSync(directory)) await adoptWriters({ store, keyring, files: nodeFiles, directory })
    const place = { accountId, region, stream: streamOf(0, nodeId) }
    await acceptLoss({ changes: recorded, apply, details }, { store, now, ...place })
  })
}

const shownMax = 200

const told = {
  again: 'taken away again',
  given: 'lost',
  unknown: 'LOST, and cannot be repeated from the log: repeat it yourself',
} as const

function asText({ changes, reused, unnamed, unread, accepted }: Lost): string {
  const [first, last] = [changes.at(0), changes.at(-1)]
  const lines = [
    `the database lacks the changes of ${changes.length} records` +
      (first === undefined ? '' : `, changes ${first.change} to ${last?.change}`) +
      (reused === 0 ? '' : `; ${reused} of the numbers belong to other changes now`),
    ...changes.slice(0, shownMax).map((change) => `${changeLine(change)}: ${told[change.effect]}`),
    ...(changes.length > shownMax ? [`  and ${changes.length - shownMax} more`] : []),
    ...(unnamed === 0
      ? []
      : [`${unnamed} more changes are lost that no log here has a record of: read other journals`]),
    ...unread.map((node) => `not read: the journal of node ${node}. Run this on its machine too`),
    ...(accepted
      ? ['accepted: start the nodes that refuse calls again']
      : ['what is lost can be kept only by putting a newer database back']),
  ]
  return `${lines.join('\n')}\n`
}
