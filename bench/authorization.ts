/**
 * Measures one authorization: a key with a policy of 32 KB and 100 statements, a caller with ten identity
 * policies, and 1,000 grants on the key. It runs alone, with 10,000 other keys in the store, and with 1,000
 * more grants for other principals; neither may change the result. The floor is one HMAC-SHA-256 over 1 KB in
 * the same run, the minimal cost of checking a signature.
 * @module
 */
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authorize } from '../src/policy/authorize.ts'
import { compilePolicy } from '../src/policy/compile.ts'
import type { AuthorizationRequest } from '../src/policy/decision.ts'
import type { RowKeyring } from '../src/store/bound-rows.ts'
import { createStore } from '../src/store/bound-store.ts'
import { openDatabase } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import type { NewGrant } from '../src/store/tables/grant-rows.ts'
import { loadAccount } from '../src/cache/cached-accounts.ts'
import { createLookup } from '../src/cache/lookup.ts'
import type { Lookup } from '../src/cache/cached-records.ts'
import { readGrantsFrom } from '../src/cache/read-grants.ts'

const accountId = '111122223333'
const region = 'us-west-2'
const user = `arn:aws:iam::${accountId}:user/bench`
const runs = 20_000
const rounds = 5

const keyring: RowKeyring = {
  tagRow: (canonical) => createHmac('sha256', 'bench').update(canonical).digest(),
  checkRowTag: (canonical, tag) =>
    createHmac('sha256', 'bench').update(canonical).digest().equals(tag),
}

/** 100 statements; one near the end names the caller. */
function keyPolicy(): string {
  const statement = (index: number): object => ({
    Sid: `statement ${index} ${'x'.repeat(60)}`,
    Effect: index % 7 === 0 ? 'Deny' : 'Allow',
    Principal: { AWS: index === 97 ? user : `arn:aws:iam::${accountId}:user/other-${index}` },
    Action: ['kms:Encrypt', 'kms:GenerateDataKey*', 'kms:Describe*'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:EncryptionContext:purpose': 'bench' } },
  })
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: Array.from({ length: 100 }, (_, index) => statement(index)),
  })
  return text.padEnd(32_768, ' ')
}

const identity = Array.from({ length: 10 }, (_, index) =>
  compilePolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Action: `s3:Get${index}*`,
        Resource: `arn:aws:s3:::bucket-${index}/*`,
      },
    }),
    'identity',
  ),
)

function grantTo(keyId: string, grantee: string): NewGrant {
  return {
    accountId,
    region,
    keyId,
    grantId: randomUUID().replaceAll('-', '').repeat(2),
    granteePrincipal: grantee,
    granteeId: `AIDA${grantee}`,
    issuingAccountId: accountId,
    operations: ['Decrypt'],
    createdAt: 1,
  }
}

async function insertKeys(store: Store, ids: readonly string[], policy: string): Promise<void> {
  for (let start = 0; start < ids.length; start += 500) {
    await store.change(async (transaction) => {
      for (const keyId of ids.slice(start, start + 500)) {
        await transaction.insertKey({
          accountId,
          region,
          keyId,
          spec: 'SYMMETRIC_DEFAULT',
          usage: 'ENCRYPT_DECRYPT',
          origin: 'AWS_KMS',
          manager: 'CUSTOMER',
          state: 'Enabled',
          description: '',
          createdAt: 1,
          policy,
          policyPrincipals: { [user]: 'AIDABENCH' },
          tags: [],
        })
      }
    })
  }
}

async function insertGrants(
  store: Store,
  keyId: string,
  to: (index: number) => string,
): Promise<void> {
  await store.change(async (transaction) => {
    for (let index = 0; index < 1000; index += 1) {
      await transaction.insertGrant(grantTo(keyId, to(index)))
    }
  })
}

/** Microseconds a run, the best of the rounds. */
async function timed(run: () => unknown): Promise<number> {
  let best = Infinity
  for (let round = 0; round < rounds; round += 1) {
    const start = process.hrtime.bigint()
    for (let count = 0; count < runs; count += 1) {
      const answer = run()
      if (answer instanceof Promise) await answer
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / runs)
  }
  return best
}

function authorization(lookup: Lookup, keyId: string): () => unknown {
  const caller = { kind: 'user', accountId, arn: user, uniqueId: 'AIDABENCH' } as const
  const request: AuthorizationRequest = {
    caller,
    action: 'kms:Encrypt',
    resource: { arn: `arn:aws:kms:${region}:${accountId}:key/${keyId}`, accountId },
    context: new Map([['kms:encryptioncontext:purpose', ['bench']]]),
  }
  const root = `arn:aws:iam::${accountId}:root`
  const asked = { operation: 'Encrypt', encryptionContext: { purpose: 'bench' } } as const
  return async () => {
    const ref = { accountId, region, keyId }
    const [key, toUser, toRoot] = await Promise.all([
      lookup.key(ref),
      lookup.grantsGiving(ref, { grantee: user, granteeId: 'AIDABENCH' }, asked, 1),
      lookup.grantsGiving(ref, { grantee: root, granteeId: accountId }, asked, 1),
    ])
    if (key === undefined) throw new Error('the key is gone')
    const { policy, record } = key
    const policies = {
      resource: policy,
      resourcePrincipals: record.policyPrincipals,
      identityOnly: false,
      identity,
    }
    const { decision } = authorize(request, policies, [...toUser, ...toRoot])
    if (decision !== 'allow') throw new Error('the caller is allowed')
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'trent-bench-'))
  const database = await openDatabase({ path: join(folder, 'trent.db') })
  try {
    const store = createStore(database, keyring, { onForgedRow: () => undefined })
    await store.change((transaction) => transaction.insertAccount({ accountId, createdAt: 1 }))
    const lookup = createLookup({
      store,
      cachedKeys: 1000,
      openSecret: () => {
        throw new Error('no access keys here')
      },
      openServiceSecret: () => {
        throw new Error('no services here')
      },
      openProxyCredential: () => {
        throw new Error('nobody asks')
      },
      openProxySecret: () => {
        throw new Error('no key stores here')
      },
      compile: (policy) => compilePolicy(policy, 'key'),
      findAccount: (id) => loadAccount(id, store),
      findUser: () => Promise.resolve(undefined),
      findRole: () => Promise.resolve(undefined),
      findGroup: () => Promise.resolve(undefined),
      findManagedPolicy: () => Promise.resolve(undefined),
      readGrants: readGrantsFrom(store),
      onGrantsFailed: (error) => {
        throw error
      },
      onForgottenMaterial: () => undefined,
    })
    const keyId = randomUUID()
    await insertKeys(store, [keyId], keyPolicy())
    await insertGrants(store, keyId, (index) => `arn:aws:iam::${accountId}:user/grantee-${index}`)
    const kilobyte = Buffer.alloc(1024)
    const floor = await timed(() => createHmac('sha256', 'floor').update(kilobyte).digest('hex'))
    const tell = (what: string, microseconds: number): boolean =>
      process.stdout.write(
        `${what.padEnd(44)} ${microseconds.toFixed(2).padStart(8)} µs ` +
          `${(microseconds / floor).toFixed(2).padStart(7)} × floor\n`,
      )
    tell('floor: one HMAC-SHA-256 over 1 KB', floor)
    const measure = async (what: string): Promise<void> => {
      await lookup.refresh()
      tell(what, await timed(authorization(lookup, keyId)))
    }
    await measure('100 statements, 10 policies, 1,000 grants')
    await insertGrants(store, keyId, (index) => `arn:aws:iam::${accountId}:user/more-${index}`)
    await measure('with 1,000 more grants')
    const others = Array.from({ length: 10_000 }, () => randomUUID())
    await insertKeys(store, others, '{"Version":"2012-10-17","Statement":[]}')
    await measure('with 10,000 more keys as well')
  } finally {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
