/**
 * Background work of one worker: caches, key store, outbox and jobs. They are closed when the worker stops.
 * @module
 */
import { createCountRetention, createEventRetention } from '../audit/index/event-retention.ts'
import { createOutbox, type Outbox } from '../audit/outbox.ts'
import { compilePolicy } from '../policy/compile.ts'
import type { Config } from '../config.ts'
import { openEvents, type Events } from '../events/events.ts'
import { openServiceSecret, openSigningSecret } from '../crypto/secrets.ts'
import { openProxySecret } from '../crypto/key-store-secret.ts'
import { openProxyCredential } from '../crypto/proxy-credential.ts'
import { createSlowLane, type SlowLane } from '../crypto/slow-lane.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { BuiltinKeyStore } from '../keystores/builtin/builtin.ts'
import { createManagedKeys, type MakeManagedKey } from '../lifecycle/managed-keys.ts'
import { createServiceChanges, type ServiceChanges } from '../lifecycle/service-changes.ts'
import { createHealthJobs } from '../lifecycle/health-jobs.ts'
import { createKeyJobs } from '../lifecycle/key-jobs.ts'
import { createKeyStoreFigures, type KeyStoreFigures } from '../lifecycle/key-store-figures.ts'
import { createAccessKeyUses, type OpenAccessKeyUses } from '../lifecycle/last-access-key-use.ts'
import { createRoleUses, type OpenRoleUses } from '../lifecycle/last-role-use.ts'
import { createKeyUsages, type OpenKeyUsages } from '../lifecycle/last-usage.ts'
import { loadAccount } from '../cache/cached-accounts.ts'
import { loadGroup, loadManagedPolicy, loadRole, loadUser } from '../cache/cached-identities.ts'
import { createLookup } from '../cache/lookup.ts'
import type { Lookup } from '../cache/cached-records.ts'
import { openBuiltin, openKeyStores, type KeyStores } from './key-stores.ts'
import type { WorkerParts } from './parts.ts'

/** Checking one attestation document takes about 10 ms. */
const attestationsMax = 64

type BackgroundConfig = Pick<
  Config,
  | 'regions'
  | 'eventsWebhook'
  | 'dataDirectory'
  | 'cachedKeys'
  | 'externalProxies'
  | 'hsmClusters'
  | 'sealOptions'
>

/** Background work of one worker. */
export interface Background {
  readonly lookup: Lookup
  readonly builtin: BuiltinKeyStore
  readonly keyStores: KeyStores
  readonly keyStoreFigures: KeyStoreFigures
  readonly slowLane: SlowLane
  readonly outbox: Outbox
  readonly keyUsages: OpenKeyUsages
  readonly roleUses: OpenRoleUses
  readonly accessKeyUses: OpenAccessKeyUses
  readonly makeManagedKey: MakeManagedKey
  readonly events: Events
  readonly changes: ServiceChanges
  readonly close: () => Promise<void>
}

/** @param sentElsewhere another worker sends the events that are made here */
export function openBackground(
  config: BackgroundConfig,
  parts: WorkerParts,
  sentElsewhere?: true,
): Background {
  const { regions, eventsWebhook, dataDirectory, cachedKeys } = config
  const { store, journal, clock, random, log } = parts
  const lookup: Lookup = lookupOf(parts, cachedKeys, (materialId) => builtin.forget(materialId))
  const builtin = openBuiltin(parts, cachedKeys, lookup)
  // A separate lane, so that attested callers do not wait for prime numbers. The first one starts its thread.
  const slowLane = createSlowLane({ queueMax: attestationsMax })
  const outbox = createOutbox({
    store,
    journal,
    onError: (error) => {
      parts.meter.journalFailed()
      log.error({ err: error }, 'the outbox waits for the journal')
    },
  })
  const uses = openUses(parts)
  const keyStoreFigures = createKeyStoreFigures({
    store,
    clock,
    onError: (error) => log.error({ err: error }, 'figures of key stores are lost'),
  })
  const keyStores = openKeyStores(config, parts, { builtin, lookup, keyStoreFigures })
  const keyStoreOf = (): BuiltinKeyStore => builtin
  const events = openEvents({
    webhook: eventsWebhook,
    dataDirectory,
    store,
    clock,
    random,
    onOutcome: parts.meter.countEvents,
    log,
    sentElsewhere,
  })
  const changes = createServiceChanges({ store, journal, outbox, regions, events, clock, random })
  return {
    lookup,
    builtin,
    keyStores,
    keyStoreFigures,
    slowLane,
    outbox,
    ...uses,
    makeManagedKey: createManagedKeys({ changes, keyStoreOf, clock, random }),
    events,
    changes,
    close: async () => {
      await events.close()
      await uses.keyUsages.close()
      await uses.accessKeyUses.close()
      await uses.roleUses.close()
      await outbox.close()
      await parts.anchors.close()
      keyStores.close()
      await keyStoreFigures.close()
      await builtin.close()
      await slowLane.close()
      await parts.grantReader.close()
    },
  }
}

/** Scheduled jobs. Only worker 0 runs them. */
export function openJobs(
  parts: WorkerParts,
  { changes, builtin, keyStores, keyStoreFigures }: Background,
): Jobs {
  const { store, clock, random, log } = parts
  const { externalKeyStores, keyStoreSecrets, hsmKeyStores } = keyStores
  const onKeys = { store, changes, clock, random, keyStoreOf: () => builtin, log }
  return createKeyJobs({ ...onKeys, externalKeyStores, keyStoreSecrets, hsmKeyStores }, [
    createEventRetention(store),
    createCountRetention(store),
    ...createHealthJobs({ ...keyStores, store, random, keyStoreFigures }),
  ])
}

/** Last uses of keys, roles and access keys. */
function openUses({
  store,
  usageTrackedSince: since,
  others,
  log,
}: WorkerParts): Pick<Background, 'keyUsages' | 'roleUses' | 'accessKeyUses'> {
  const onError = (error: Error): void => log.error({ err: error }, error.message)
  return {
    keyUsages: createKeyUsages({
      store,
      since,
      elsewhere: (name) => others.noted('keys', name),
      settle: (name) => others.settle(name),
      onError,
    }),
    accessKeyUses: createAccessKeyUses({
      store,
      elsewhere: (name) => others.noted('accessKeys', name),
      onError,
    }),
    roleUses: createRoleUses({ store, elsewhere: (name) => others.noted('roles', name), onError }),
  }
}

function lookupOf(
  { store, keyring, grantReader, log }: WorkerParts,
  cachedKeys: number,
  onForgottenMaterial: (materialId?: string) => void,
): Lookup {
  return createLookup({
    store,
    cachedKeys,
    openSecret: (accessKey) => openSigningSecret(keyring, accessKey),
    openServiceSecret: (service) => openServiceSecret(keyring, service),
    openProxySecret: (keyStore, accessKeyId) => openProxySecret(keyring, keyStore, accessKeyId),
    openProxyCredential: (credential) => openProxyCredential(keyring, credential),
    compile: (policy) => compilePolicy(policy, 'key'),
    findAccount: (accountId) => loadAccount(accountId, store),
    findUser: (userId) => loadUser(userId, store),
    findRole: (roleId) => loadRole(roleId, store),
    findGroup: (groupId) => loadGroup(groupId, store),
    findManagedPolicy: (policyId) => loadManagedPolicy(policyId, store),
    readGrants: grantReader.read,
    onGrantsFailed: (error) => log.warn({ err: error }, error.message),
    onForgottenMaterial,
  })
}
