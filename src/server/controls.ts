/**
 * Controls of a running server for operators and the test API.
 * @module
 */
import { type Refusals } from '../authenticate/refusals.ts'
import type { Anchors } from '../audit/journal/anchors.ts'
import type { Config } from '../config.ts'
import { fingerprintOf } from '../crypto/statements.ts'
import type { Jobs } from '../jobs/jobs.ts'
import { type Faults } from '../throttle/faults.ts'
import type { Store } from '../store/store.ts'
import { version } from '../version.ts'
import type { ServerHealth, ServerStatus } from '../operations/contract/server-controls.ts'
import type { OperationDependencies } from '../operations/contract/dependencies.ts'
import type { SealControls } from '../operations/contract/seal-controls.ts'
import { breakGlassWith } from './break-glass.ts'
import { asKmsError } from './sealed-door.ts'
import type { BackupControls } from '../operations/contract/backup-controls.ts'
import { BackupNotRead, type Backups } from '../backup/backups.ts'
import { KmsError, type ErrorCode } from '../errors.ts'
import type { RunningNode } from './node.ts'
import { nodeControls } from './nodes.ts'
import type { ServerParts } from './parts.ts'

type ShownCheckpoint = ServerStatus['journal']['checkpoint']

/** The checkpoint as operators see it: they can keep a copy elsewhere. */
function shownCheckpoint({ text, signature }: Anchors['last']): ShownCheckpoint {
  return { text, signature: Buffer.from(signature).toString('base64') }
}

function shownNode(node: RunningNode): NonNullable<ServerStatus['node']> {
  const refusal = node.refusal()
  const shown = { id: node.nodeId, replication: node.replication() }
  return refusal === undefined ? shown : { ...shown, refusal }
}

/** Checkpoints of the streams of other workers, and of former workers. */
async function otherCheckpoints(
  store: Pick<Store, 'listAuditWriters'>,
  own: string,
): Promise<Pick<ServerStatus['journal'], 'otherCheckpoints'>> {
  const writers = (await store.listAuditWriters()).filter(({ stream }) => stream !== own)
  if (writers.length === 0) return {}
  const kept = writers.flatMap(({ checkpoint }) => checkpoint ?? [])
  return { otherCheckpoints: kept.map(shownCheckpoint) }
}

export function serverControls(
  config: Config,
  parts: ServerParts & {
    readonly refusals: Refusals
    readonly faults: Faults
    readonly jobs: Jobs
  },
): OperationDependencies['server'] {
  const { store, journal, clock, startedAt, firstAccount, refusals, faults, jobs } = parts
  const health = async (): Promise<ServerHealth> => {
    const held = clock.held()
    return {
      version,
      sealed: false,
      seal: await parts.rekeying.status(),
      startedAt: new Date(startedAt).toISOString(),
      clock: { now: new Date(clock.now()).toISOString(), ...(held !== undefined && { held }) },
    }
  }
  return {
    health,
    status: async (): Promise<ServerStatus> => {
      const backups = parts.backupSchedule.status()
      const { stream, segment } = journal.position
      const others = await parts.workers.states()
      const healthy = journal.healthy && others.every((each) => each.healthy)
      return {
        ...(await health()),
        ready: healthy && parts.node?.refusal() === undefined,
        region: config.region,
        accountId: firstAccount.accountId,
        journal: {
          healthy,
          stream,
          segment,
          keys: parts.keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey)),
          checkpoint: shownCheckpoint(parts.anchors.last),
          ...(await otherCheckpoints(store, stream)),
        },
        changes: store.epoch(),
        ...(parts.node && { node: shownNode(parts.node) }),
        refusedRequests: others.reduce((sum, each) => sum + each.refusals, refusals.count()),
        deleted: await store.countDeletedKeys(),
        deletedMaterials: await store.countDeletedMaterials(),
        ...(backups && { backups }),
      }
    },
    acceptClock: async () => {
      clock.accept()
      await jobs.runDue()
      return clock.held()
    },
    moveClock: async (to) => {
      clock.move(to)
      await jobs.runDue()
      await parts.delivery.runDue()
      await parts.backupSchedule.runDue()
      await parts.ownSeal.runDue()
    },
    faults,
    firstAccount: { ...firstAccount, isRootGiven: config.root !== undefined },
    breakGlass: breakGlassWith(config, parts),
    seal: sealControls(parts),
    backup: backupControls(parts.backups),
    nodes: nodeControls({ ...parts, end: parts.sealServer }),
  }
}

function sealControls({ rekeying, generations, clock, sealServer }: ServerParts): SealControls {
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw asKmsError(error)
    })
  return {
    status: rekeying.status,
    begin: (request) => told(rekeying.begin(request)),
    give: (secret, giver) => told(rekeying.give(secret, giver)),
    cancel: rekeying.cancel,
    async retire({ endSessions }) {
      const held = clock.held()
      if (held !== undefined && !endSessions) {
        throw new KmsError(
          'ValidationException',
          `nobody knows whether sessions under a former root key are over: ${held}`,
        )
      }
      return told(generations.retire(endSessions))
    },
    end: sealServer,
  }
}

function backupControls(backups: Backups): BackupControls {
  const told = <T>(code: ErrorCode, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw error instanceof BackupNotRead
        ? new KmsError(code, error.message, { cause: error })
        : error
    })
  return {
    async begin() {
      const { id, header } = await told('ConflictException', backups.begin())
      const { deploymentId, change, rows, createdAt } = header
      return { id, deploymentId, change, rows, createdAt: new Date(createdAt).toISOString() }
    },
    async read(id, part) {
      const { bytes, rows, isLast } = await told('NotFoundException', backups.read(id, part))
      return { bytes: bytes.toString('base64'), rows, isLast }
    },
  }
}
