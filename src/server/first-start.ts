/** Makes the first account of a deployment and its root access key. @module */
import { createSecretKey } from 'node:crypto'
import type { Journal } from '../audit/journal/journal.ts'
import { serviceRecord } from '../audit/records/service-record.ts'
import { ConfigError, testCredential, type Config } from '../config.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { newAccessKeyId } from '../crypto/new-access-key.ts'
import { openSigningSecret, wrapSecret } from '../crypto/secrets.ts'
import type { AccessKeyRecord, AccountRecord } from '../model/access-key.ts'
import type { Clock, Random } from '../model/clock.ts'
import { readAccessKeyId, writeCredentialsFile } from '../operator/credentials-file.ts'
import type { Store } from '../store/store.ts'

export interface FirstAccount {
  readonly accountId: string
  /** Absent if an earlier start made the root access key and its file is gone. */
  readonly accessKeyId?: string
}

interface AccountDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  readonly keyring: Keyring
  readonly journal: Pick<Journal, 'position'>
  /** The Region that the records of a start are written in. */
  readonly region: string
}

/**
 * Makes sure that the configured account exists, and that its root user has the configured access
 * key, or a random one in `credentialsPath`.
 * @throws {ConfigError} when the settings contradict what the data directory holds
 */
export async function openFirstAccount(
  config: Config,
  credentialsPath: string,
  dependencies: AccountDependencies,
): Promise<FirstAccount> {
  const { accountId, root, testContainer } = config
  const { store } = dependencies
  const known = (await store.findAccount(accountId)) !== undefined
  await requireRightUse(config, known, dependencies)
  if (!known) await requireNoAccount(accountId, store)
  if (root !== undefined) {
    const present = await store.findAccessKey(root.accessKeyId)
    if (present !== undefined) requireSameRootKey(config, present, dependencies.keyring)
    else await insertRootKey(accountId, root.accessKeyId, root.secretAccessKey, known, dependencies)
    if (testContainer !== undefined && !known && root.accessKeyId !== testCredential) {
      const nobodys = dependencies.random.bytes(32)
      await insertRootKey(accountId, testCredential, nobodys, true, dependencies)
    }
    await keepOnlyActive(config, root.accessKeyId, dependencies)
    return { accountId, accessKeyId: root.accessKeyId }
  }
  if (known) {
    const accessKeyId = await readAccessKeyId(credentialsPath)
    const told = accessKeyId === undefined ? undefined : await store.findAccessKey(accessKeyId)
    if (accessKeyId === undefined || told?.accountId !== accountId) return { accountId }
    await keepOnlyActive(config, accessKeyId, dependencies)
    return { accountId, accessKeyId }
  }
  const accessKeyId = newAccessKeyId(dependencies.random)
  const secret = Buffer.from(Buffer.from(dependencies.random.bytes(30)).toString('base64'))
  // The file first: an access key that nobody knows must not exist, and a file can be written again.
  await writeCredentialsFile(credentialsPath, accessKeyId, secret)
  await insertRootKey(accountId, accessKeyId, secret, known, dependencies)
  secret.fill(0)
  return { accountId, accessKeyId }
}

/**
 * INVARIANT (test credentials stay in test containers): only a test container serves a deployment with
 * the root access key test/test, unless the settings give that account another one, which ends that one.
 * A test container takes no deployment that was made or used for something else: anybody may empty it. So
 * every deployment of a test container has an access key with the id `test`, and no other deployment has.
 * @throws {ConfigError}
 */
async function requireRightUse(
  { accountId, root, testContainer }: Config,
  known: boolean,
  { store, keyring }: AccountDependencies,
): Promise<void> {
  const mark = await store.findAccessKey(testCredential)
  if (testContainer !== undefined) {
    if (!known || mark?.accountId === accountId) return
    throw new ConfigError(
      'TRENT_TEST_API=container is refused for this data directory: it was made for other use, and anybody ' +
        'who reaches the port could empty it',
    )
  }
  const isEnded = root !== undefined && mark?.accountId === accountId
  if (isEnded || mark?.status !== 'Active') return
  if (!isSecret(Buffer.from(testCredential), mark, keyring)) return
  throw new ConfigError(
    'this data directory was made with TRENT_TEST_API=container, and its root access key is test: use ' +
      'another data directory, or set TRENT_ROOT_ACCESS_KEY_ID and TRENT_ROOT_SECRET_ACCESS_KEY',
  )
}

function isSecret(secret: Uint8Array, present: AccessKeyRecord, keyring: Keyring): boolean {
  const wanted = createSecretKey(Buffer.concat([Buffer.from('AWS4'), secret]))
  return openSigningSecret(keyring, present).equals(wanted)
}

/** Only the first start makes an account. A changed setting must not make another one. */
async function requireNoAccount(accountId: string, store: Store): Promise<void> {
  const first = await oldestAccount(store)
  if (first === undefined) return
  throw new ConfigError(
    `TRENT_ACCOUNT_ID is ${accountId}, and the first account of this data directory is ` +
      `${first.accountId}: set it back, or make the other account with ` +
      `\`trent account create --id ${accountId}\``,
  )
}

async function oldestAccount(store: Store): Promise<AccountRecord | undefined> {
  let oldest: AccountRecord | undefined
  let after: string | undefined
  for (;;) {
    const page = await store.listAccounts({ limit: 1000, ...(after !== undefined && { after }) })
    const last = page.at(-1)
    if (last === undefined) return oldest
    for (const each of page) {
      if (oldest === undefined || each.createdAt < oldest.createdAt) oldest = each
    }
    after = last.accountId
  }
}

async function insertRootKey(
  accountId: string,
  accessKeyId: string,
  secret: Uint8Array,
  accountKnown: boolean,
  dependencies: AccountDependencies,
): Promise<void> {
  const { store, keyring, clock, journal } = dependencies
  const owner = { accessKeyId, accountId, principalKind: 'root', principalId: accountId } as const
  const wrapped = wrapSecret(keyring, owner, secret)
  const createdAt = clock.now()
  const eventId = dependencies.random.uuid()
  const record = serviceRecord({
    eventId,
    time: createdAt,
    eventName: accountKnown ? 'CreateRootAccessKey' : 'CreateAccount',
    accountId,
    region: dependencies.region,
    details: { accountId, accessKeyId },
  })
  await store.change(async (transaction) => {
    if (!accountKnown) await transaction.insertAccount({ accountId, createdAt })
    await transaction.insertAccessKey({
      ...owner,
      status: 'Active',
      ...wrapped,
      createdAt,
    })
    await transaction.insertOutbox({ eventId, record, ...journal.position })
  })
}

/**
 * The settings name the only active root access key, or else the credentials file does. The key of an earlier
 * setting becomes inactive; the one of a test container is deleted once the deployment has another use.
 * Nothing changes if `accessKeyId` is not a root key of the account.
 */
async function keepOnlyActive(
  { accountId, testContainer }: Pick<Config, 'accountId' | 'testContainer'>,
  accessKeyId: string,
  { store, journal, clock, random, region }: AccountDependencies,
): Promise<void> {
  const all = await store.listAccessKeys(accountId)
  const keys = all.filter(({ principalKind }) => principalKind === 'root')
  if (!keys.some((key) => key.accessKeyId === accessKeyId)) return
  const wanted = keys.map((key) => {
    if (key.accessKeyId === accessKeyId) return { key, status: 'Active' as const }
    const isOver = key.accessKeyId === testCredential && testContainer === undefined
    return { key, status: isOver ? undefined : ('Inactive' as const) }
  })
  const changes = wanted.filter(({ key, status }) => key.status !== status)
  if (changes.length === 0) return
  const eventId = random.uuid()
  const record = serviceRecord({
    eventId,
    time: clock.now(),
    eventName: 'UpdateRootAccessKeys',
    accountId,
    region,
    details: { active: accessKeyId, changed: changes.map(({ key }) => key.accessKeyId) },
  })
  await store.change(async (transaction) => {
    for (const { key, status } of changes) {
      if (status === undefined) await transaction.deleteAccessKey(key)
      else await transaction.updateAccessKey(key, { status })
    }
    await transaction.insertOutbox({ eventId, record, ...journal.position })
  })
}

function requireSameRootKey(config: Config, present: AccessKeyRecord, keyring: Keyring): void {
  const given = config.root?.secretAccessKey ?? Buffer.alloc(0)
  const same =
    present.accountId === config.accountId &&
    present.principalKind === 'root' &&
    isSecret(given, present, keyring)
  if (same) return
  throw new ConfigError(
    'TRENT_ROOT_ACCESS_KEY_ID exists in the data directory with another account or another secret',
  )
}
