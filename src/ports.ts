/**
 * The ports that the pipeline and the operations work with, joined for one running server.
 * @module
 */
import type { Logger } from 'pino'
import { createRefusals } from './authenticate/refusals.ts'
import { createFetchDocument, mayAsk } from './authenticate/issuer-documents.ts'
import { createIssuerKeys } from './authenticate/issuer-keys.ts'
import type { Anchors } from './audit/anchors.ts'
import type { Delivery } from './audit/delivery/delivery.ts'
import { createEventLookup } from './audit/event-lookup.ts'
import type { OpenJournal } from './audit/journal.ts'
import { authenticateWebIdentity } from './authenticate/web-identity.ts'
import type { Config } from './config.ts'
import { createAccessKeys, createFixedAccessKeys } from './crypto/new-access-key.ts'
import type { Keyring } from './crypto/keyring.ts'
import type { DeploymentPorts, FirstAccount } from './deployment.ts'
import type { MovableClock } from './jobs/clock.ts'
import { createIdentityUses } from './lifecycle/identity-uses.ts'
import type { Meter } from './metrics/meter.ts'
import { deploymentReaders } from './metrics/readers.ts'
import type { Caller } from './model/caller.ts'
import { formatArn } from './model/arn.ts'
import type { OperationPorts, PrincipalChecks } from './operations/operation.ts'
import { queryRegistry } from './operations/query-registry.ts'
import { registry } from './operations/registry.ts'
import { metricRegistry } from './operations/metric-registry.ts'
import { trailRegistry } from './operations/trail-registry.ts'
import {
  operatorOperations,
  serviceOperations,
  testOperations,
} from './operations/trent/operations.ts'
import { createCallers } from './resolve/callers.ts'
import { createExplanations } from './resolve/explain-access.ts'
import { createKeyPolicies } from './resolve/key-policies.ts'
import type { Place } from './resolve/identifiers.ts'
import { readAccounts } from './resolve/known-accounts.ts'
import type { Lookup } from './resolve/lookup.ts'
import { createGrantTokens } from './resolve/grant-tokens.ts'
import { createPages } from './resolve/markers.ts'
import { createFindPrincipal, createFindUserArn } from './resolve/principals.ts'
import { createTrustPolicies } from './resolve/trust-policies.ts'
import { createRecipients } from './resolve/recipient.ts'
import { createTurns } from './resolve/turns.ts'
import type { PipelinePorts } from './running-call.ts'
import type { Store } from './store/store.ts'
import { processMilliseconds } from './throttle/buckets.ts'
import { createFaults } from './throttle/faults.ts'
import { createThrottle, type Throttle } from './throttle/throttle.ts'
import { serverControls } from './server-controls.ts'
import { openWorks, type Works } from './works.ts'

export interface ServerParts extends Omit<DeploymentPorts, 'clock'> {
  readonly clock: MovableClock
  readonly store: Store
  readonly keyring: Keyring
  readonly journal: OpenJournal
  readonly anchors: Anchors
  readonly delivery: Delivery
  readonly firstAccount: FirstAccount
  /** What `Store.trackUsageSince` answered. */
  readonly usageTrackedSince: number
  readonly startedAt: number
  readonly meter: Meter
  readonly log: Logger
}

export interface OpenPorts {
  readonly ports: PipelinePorts
  readonly close: () => Promise<void>
}

export function openPorts(config: Config, parts: ServerParts): OpenPorts {
  const { store, keyring, journal, clock, random, log } = parts
  const { regions } = config
  const open = openWorks(config, parts)
  const { lookup, slowLane, outbox, keyUsages } = open
  const refusals = createRefusals(log, clock)
  const grantTokens = createGrantTokens(keyring, lookup, (ref) => store.findGrant(ref))
  const throttle = createThrottle(config.quotas, { monotonic: processMilliseconds, regions })
  const faults = createFaults()
  const callers = createCallers({ keyring, lookup, regions, clock, random })
  const { credentials, signingKeys, sessions, forwardAccess } = callers
  const ports: PipelinePorts = {
    registry: servedOperations(config),
    regions,
    clock,
    random,
    lookup,
    grantTokens,
    findGrant: (ref) => store.findGrant(ref),
    makeManagedKey: open.makeManagedKey,
    recipientOf: createRecipients({ roots: config.attestationRoots, clock, slowLane }),
    credentials,
    signingKeys,
    callerOf: forwardAccess.callerOf,
    refusals,
    tokenBearer: tokenBearers(config, parts),
    insider: insiders(config),
    store,
    journal,
    outbox,
    keyUsages,
    refusedUses: open.events.refusedUses,
    identityUses: createIdentityUses(open.roleUses, open.accessKeyUses),
    throttle,
    faults,
    inTurn: createTurns(),
    operations: {
      ...operationPorts(parts, open),
      regions,
      grantTokens,
      explanations: createExplanations({
        registry,
        lookup,
        store,
        grantTokens,
        now: () => clock.now(),
        idOf: createFindPrincipal(store),
        events: createEventLookup(store),
      }),
      webIdentity: { mayBeIssuer: (url) => mayAsk(new URL(url), config.webIdentityHosts) },
      sessions,
      forwardAccess,
      quotas: quotaPorts(config, throttle),
      trails: parts.delivery.trails,
      server: serverControls(config, { ...parts, refusals, faults, jobs: open.jobs }),
    },
    meter: parts.meter,
    log,
  }
  parts.meter.observe(deploymentReaders({ ...parts, lookup, outbox, refusals }))
  return { ports, close: open.close }
}

function operationPorts(
  { store, keyring, clock, random }: ServerParts,
  { lookup, builtin, keyUsages, roleUses, accessKeyUses }: Works,
): Omit<
  OperationPorts,
  | 'regions'
  | 'grantTokens'
  | 'explanations'
  | 'sessions'
  | 'webIdentity'
  | 'forwardAccess'
  | 'quotas'
  | 'trails'
  | 'server'
> {
  const checksBy = (
    reads: Parameters<OperationPorts['principalChecks']>[0],
    known: Lookup,
  ): PrincipalChecks => {
    const findPrincipal = createFindPrincipal(reads)
    const findUserArn = createFindUserArn(reads)
    return {
      policies: createKeyPolicies(findPrincipal, findUserArn, known, clock),
      trustPolicies: createTrustPolicies(findPrincipal, findUserArn),
      principals: { idOf: findPrincipal },
    }
  }
  return {
    store,
    keyStoreOf: () => builtin,
    clock,
    random,
    pages: createPages(keyring),
    ...checksBy(store, lookup),
    // What is in memory is what was committed, and the store waits for the transaction.
    principalChecks: (reads) => checksBy(reads, { ...lookup, account: readAccounts(reads) }),
    keyUsages,
    roleUses,
    accessKeyUses,
    events: createEventLookup(store),
    figures: store,
    newAccessKey: createAccessKeys(keyring, random),
    fixedAccessKeys: createFixedAccessKeys(keyring),
  }
}

function quotaPorts({ quotas }: Config, throttle: Throttle): OperationPorts['quotas'] {
  const { profile, resources, groups } = quotas
  return {
    profile,
    resources,
    rates: (accountId, region) =>
      groups.map((group) => ({
        group,
        perSecond: quotas.rateOf(group, region),
        available: throttle.available(accountId, region, group),
      })),
  }
}

function servedOperations({ testApi }: Config): PipelinePorts['registry'] {
  const own = [...operatorOperations, ...serviceOperations, ...(testApi ? testOperations : [])]
  return new Map([
    ...registry,
    ...queryRegistry,
    ...trailRegistry,
    ...metricRegistry,
    ...own.map((operation) => [`trent:${operation.name}`, operation] as const),
  ])
}

/** A call that is not signed names no Region: it is one of the deployment's own. */
function tokenBearers(
  { region, regions, webIdentityHosts }: Config,
  { store, clock, log }: ServerParts,
): PipelinePorts['tokenBearer'] {
  const partition = regions.partitionOf(region) ?? 'aws'
  const issuerKeys = createIssuerKeys({
    fetchDocument: createFetchDocument(webIdentityHosts),
    monotonic: () => performance.now(),
    onError: (error) => log.warn({ err: error }, 'the keys of an identity provider cannot be had'),
  })
  const ports = { store, issuerKeys, systemNow: () => clock.system() }
  return async (given) => {
    const caller = await authenticateWebIdentity(given, partition, ports)
    return [caller, { accountId: caller.accountId, region, partition }]
  }
}

function insiders(config: Config): PipelinePorts['insider'] {
  const { accountId, region } = config
  const partition = config.regions.partitionOf(region) ?? 'aws'
  const place: Place = { accountId, region, partition }
  return (door) => {
    const resource = door === 'operator' ? 'operator/local-socket' : 'test-api'
    const arn = formatArn({ partition, service: 'trent', region: '', accountId, resource })
    const caller: Caller = { kind: door, accountId, arn, uniqueId: resource }
    return [caller, place]
  }
}
