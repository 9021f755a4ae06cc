/**
 * What operators and the test API may ask of one running server.
 * @module
 */
import { type Refusals } from './authenticate/refusals.ts'
import type { Anchors } from './audit/anchors.ts'
import type { Config } from './config.ts'
import { fingerprintOf } from './crypto/statements.ts'
import type { Jobs } from './jobs/jobs.ts'
import type { OperationPorts, ServerStatus } from './operations/operation.ts'
import { type Faults } from './throttle/faults.ts'
import { version } from './version.ts'

import type { ServerParts } from './ports.ts'

/** For whoever keeps it elsewhere. */
function shownCheckpoint({ last }: Anchors): ServerStatus['journal']['checkpoint'] {
  return { text: last.text, signature: Buffer.from(last.signature).toString('base64') }
}

export function serverControls(
  config: Config,
  parts: ServerParts & {
    readonly refusals: Refusals
    readonly faults: Faults
    readonly jobs: Jobs
  },
): OperationPorts['server'] {
  const { store, journal, clock, startedAt, firstAccount, refusals, faults, jobs } = parts
  return {
    status: async (): Promise<ServerStatus> => {
      const held = clock.held()
      const { stream, segment } = journal.position
      return {
        version,
        ready: journal.healthy,
        sealed: false,
        startedAt: new Date(startedAt).toISOString(),
        region: config.region,
        accountId: firstAccount.accountId,
        journal: {
          healthy: journal.healthy,
          stream,
          segment,
          keys: parts.keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey)),
          checkpoint: shownCheckpoint(parts.anchors),
        },
        changes: store.epoch(),
        refusedRequests: refusals.count(),
        clock: { now: new Date(clock.now()).toISOString(), ...(held !== undefined && { held }) },
        deleted: await store.countDeletedKeys(),
        deletedMaterials: await store.countDeletedMaterials(),
      }
    },
    acceptClock: () => {
      clock.accept()
      return jobs.runDue()
    },
    moveClock: async (to) => {
      clock.move(to)
      await jobs.runDue()
      await parts.delivery.runDue()
    },
    faults,
    firstAccount,
  }
}
