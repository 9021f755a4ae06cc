/** Dependencies of the pipeline. @module */
import type { Logger } from 'pino'
import type { Refusals } from '../authenticate/refusals.ts'
import type { GivenIdentity } from '../authenticate/web-identity.ts'
import type { SigningKeys } from '../authenticate/signature-v4.ts'
import type { Journal } from '../audit/journal/journal.ts'
import type { RefusedCalls } from '../audit/records/refused-calls.ts'
import type { Outbox } from '../audit/outbox.ts'
import type { RefusedUses } from '../events/refused-uses.ts'
import type { IdentityUses } from '../lifecycle/identity-uses.ts'
import type { KeyStoreFigures } from '../lifecycle/key-store-figures.ts'
import type { MakeManagedKey } from '../lifecycle/managed-keys.ts'
import type { OpenKeyUsages } from '../lifecycle/last-usage.ts'
import type { Caller } from '../model/caller.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { Meter } from '../metrics/meter.ts'
import type { RegionTable } from '../model/region.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { OpenForwardAccess } from '../authenticate/forward-access.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { GrantTokens } from '../resolve/grant-tokens.ts'
import type { ResolveRecipient } from '../resolve/recipient.ts'
import type { LogAnswer } from './answer-log.ts'
import type { InTurn } from './turns.ts'
import type { Store } from '../store/store.ts'
import type { Faults } from '../throttle/faults.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { Call } from '../operations/contract/call.ts'
import type { OperationDependencies } from '../operations/contract/dependencies.ts'
import type { CredentialLookup } from '../authenticate/credential.ts'
import type { Lookup } from '../cache/cached-records.ts'
import type { RawRequest } from '../wire/request.ts'

/** Dependencies of the pipeline. */
export interface PipelineDependencies {
  readonly registry: ReadonlyMap<string, Operation>
  readonly regions: RegionTable
  readonly clock: Clock
  readonly random: Random
  readonly lookup: Lookup
  readonly grantTokens: GrantTokens
  readonly recipientOf: ResolveRecipient
  readonly credentials: CredentialLookup
  readonly signingKeys: SigningKeys
  /** The caller of a request that a service signed for somebody. */
  readonly callerOf: OpenForwardAccess['callerOf']
  /** Counts requests without a proven caller. */
  readonly refusals: Pick<Refusals, 'note'>
  /** The caller behind an identity token. @throws {KmsError} */
  readonly tokenBearer: (given: GivenIdentity) => Promise<readonly [Caller, RequestScope]>
  /** The caller at the operator door or the test API. */
  readonly internalCaller: (
    door: 'operator' | 'test',
    request: Pick<RawRequest, 'peer'>,
  ) => readonly [Caller, RequestScope]
  readonly store: Pick<Store, 'change' | 'epoch' | 'changesSince' | 'freshness'>
  readonly findGrant: Store['findGrant']
  readonly makeManagedKey: MakeManagedKey
  /** Returns the key store of a key, which its origin decides, for one call. */
  readonly keyStoreOf: (
    key: Parameters<Call<never, string>['keyStoreOf']>[0],
    call: Call<never, string>,
  ) => ReturnType<Call<never, string>['keyStoreOf']>
  readonly journal: Journal
  readonly outbox: Outbox
  readonly keyUsages: Pick<OpenKeyUsages, 'note'>
  readonly refusedUses: Pick<RefusedUses, 'note' | 'isNews'>
  /** Counts refused calls beyond the rate of their caller. */
  readonly refusedCalls: RefusedCalls
  readonly identityUses: IdentityUses
  readonly throttle: Pick<Throttle, 'admit' | 'admitToKeyStore'>
  readonly keyStoreFigures: Pick<KeyStoreFigures, 'note'>
  /** Faults that tests ask for. */
  readonly faults: Pick<Faults, 'strike'>
  /** Turns of calls that are decided again. */
  readonly inTurn: InTurn
  /** Turns of changes: the store runs one transaction of this worker at a time. */
  readonly changesInTurn: InTurn
  readonly operations: OperationDependencies
  /** Measures how long calls take, and counts their outcomes. */
  readonly meter: Pick<Meter, 'answered' | 'authorized' | 'refusedUse' | 'throttledKeyStore'>
  readonly log: Logger
  /** Absent if nobody reads a line for each request. */
  readonly logAnswer?: LogAnswer
}
