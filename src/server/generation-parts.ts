/** What generations of the root key offer to the server, and what they need of it. @module */
import type { KeyObject } from 'node:crypto'
import type { Logger } from 'pino'
import type { TurningKeyring } from '../crypto/domain-keys.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { GrantReader } from '../cache/grant-reader.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { RetiredRoots, SealStatus } from '../operations/contract/seal-controls.ts'
import type { ServiceChanges } from '../lifecycle/service-changes.ts'
import type { Database } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { FirstAccount } from './first-start.ts'
import type { RunningNode } from './node.ts'
import type { OwnSeal } from './own-seal.ts'
import type { Workers } from './workers/workers.ts'

export interface RootGenerations {
  /** The domain keys that are open now. */
  readonly deployment: () => OpenDeployment
  /**
   * Puts a root key in force, and begins to wrap everything anew.
   * @param proved the record that sealed it, in the role `next-root`
   */
  readonly adopt: (rootKey: KeyObject, proved: Uint8Array) => Promise<void>
  /** @throws {SealRefused} while a node does not know the root key of the last rotation */
  readonly requireSettled: () => Promise<void>
  /** @throws {SealRefused} while something is under the former root keys */
  readonly retire: (endSessions: boolean) => Promise<RetiredRoots>
  readonly status: () => Promise<Pick<SealStatus, 'generation' | 'former'>>
  /** Goes on with what an earlier process began to wrap anew. Call it once, before the server listens. */
  readonly begin: (changes: ServiceChanges) => void
  /** Takes part in rotations of other nodes. Call it once, when every thread runs: each step goes to all. */
  readonly followNodes: () => void
  /** Waits for the batch that is being wrapped. */
  readonly close: () => Promise<void>
}

export interface GenerationDependencies {
  readonly database: Database
  readonly store: Pick<Store, 'change' | 'listNodes' | 'countNodes'>
  readonly node: Pick<RunningNode, 'nodeId' | 'follow'> | undefined
  /** It can open the next root key too. */
  readonly ownSeal: Pick<OwnSeal, 'current' | 'open'>
  readonly deployment: OpenDeployment
  readonly keyring: TurningKeyring
  readonly workers: Pick<Workers, 'turnKeys'>
  readonly grantReader: Pick<GrantReader, 'turnKeys'>
  /** Rewrites the signed list of writers, which names the keys of statements. */
  readonly list: () => Promise<void>
  readonly clock: Pick<Clock, 'now' | 'system'>
  readonly random: Random
  /** The account and Region of the records of wrapping anew. */
  readonly firstAccount: Pick<FirstAccount, 'accountId'>
  readonly region: string
  readonly onFatal: (error: Error) => void
  readonly log: Pick<Logger, 'info' | 'warn'>
}
