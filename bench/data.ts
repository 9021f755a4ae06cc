/**
 * Prepares a data directory of Trent: keys, callers and grants. The API makes what is few. The store makes
 * what is many, while no server runs.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { keyringOf } from '../src/crypto/domain-keys.ts'
import { systemRandom } from '../src/crypto/entropy.ts'
import { wrapMaterial } from '../src/crypto/material.ts'
import type { Keyring } from '../src/crypto/keyring.ts'
import { createClock } from '../src/jobs/clock.ts'
import type { GrantConstraints } from '../src/model/grant.ts'
import { fileSeal } from '../src/seals/file.ts'
import { openDeployment } from '../src/server/root-key.ts'
import { createStore } from '../src/store/bound-store.ts'
import { openDatabase } from '../src/store/open.ts'
import type { Store } from '../src/store/store.ts'
import { accountId, region, root, startTrent, type Credentials, type Server } from './servers.ts'

const keysInTransaction = 250
const grantsInTransaction = 500
/** A key with the default policy lets the account's own policies decide. */
const keyPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::${accountId}:root"},"Action":"kms:*","Resource":"*"}]}`

/** A caller, and the symmetric keys that its calls name. */
export interface Caller {
  readonly name: string
  readonly credentials: Credentials
  readonly keyIds: readonly string[]
}

/** Grants on a key, to be filled in. */
export interface FilledGrants {
  readonly keyId: string
  readonly count: number
  /** The grantee of each grant, as ARN and unique id. */
  readonly grantee: (index: number) => readonly [string, string]
  readonly constraints?: (index: number) => GrantConstraints | undefined
}

/** A user without permissions. */
export interface User {
  readonly arn: string
  readonly userId: string
  readonly credentials: Credentials
}

export interface Clients {
  readonly kms: KMSClient
  readonly iam: IAMClient
}

export function clientsOf({ port }: Server): Clients {
  const settings = { region, endpoint: `http://127.0.0.1:${port}`, credentials: root }
  return { kms: new KMSClient(settings), iam: new IAMClient(settings) }
}

/**
 * Makes a data directory.
 * @param keys number of symmetric keys that the callers `root` and `user` name
 * @param callers `root`, `user` (by IAM policies) or `grantee-N`: one of N principals with a grant on a key
 */
export async function makeData(
  directory: string,
  keys: number,
  callers: readonly string[],
): Promise<readonly Caller[]> {
  const server = await startTrent(directory)
  const clients = clientsOf(server)
  const keyIds = [
    await newKey(clients.kms),
    ...Array.from({ length: keys - 1 }, () => systemRandom.uuid()),
  ]
  const made: Caller[] = []
  const grants: FilledGrants[] = []
  for (const name of callers) {
    const [, count] = /^grantee-(\d+)$/.exec(name) ?? []
    if (name === 'root') made.push({ name, credentials: root, keyIds })
    else if (name === 'user') {
      made.push({ name, credentials: await userWithPolicies(clients), keyIds })
    } else if (count !== undefined) {
      const { arn, userId, credentials } = await newUser(clients, name)
      const keyId = await newKey(clients.kms)
      made.push({ name, credentials, keyIds: [keyId] })
      const middle = Math.floor(Number(count) / 2)
      const grantee = (index: number): readonly [string, string] =>
        index === middle ? [arn, userId] : [`${arn}-${index}`, `AIDABENCH${index}`]
      grants.push({ keyId, count: Number(count), grantee })
    } else throw new Error(`no caller ${name}; there are root, user and grantee-N`)
  }
  clients.kms.destroy()
  clients.iam.destroy()
  await server.stop()
  if (keys > 1 || grants.length > 0) await fill(directory, keyIds.slice(1), grants)
  return made
}

export async function newKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.KeyId ?? ''
}

export async function newUser({ iam }: Clients, UserName: string): Promise<User> {
  const { User } = await iam.send(new CreateUserCommand({ UserName }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const { AccessKeyId = '', SecretAccessKey = '' } = AccessKey ?? {}
  return {
    arn: User?.Arn ?? '',
    userId: User?.UserId ?? '',
    credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey },
  }
}

/** A user with a policy of its own that allows KMS, and an attached one about other things. */
async function userWithPolicies(clients: Clients): Promise<Credentials> {
  const { iam } = clients
  const UserName = 'user'
  const { credentials } = await newUser(clients, UserName)
  const policy = (Action: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action, Resource: '*' },
    })
  const own = { UserName, PolicyName: 'kms', PolicyDocument: policy('kms:*') }
  await iam.send(new PutUserPolicyCommand(own))
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: 'other', PolicyDocument: policy('s3:Get*') }),
  )
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: Policy?.Arn }))
  return credentials
}

/** Adds keys and grants to the directory of a server that does not run. */
export async function fill(
  directory: string,
  keyIds: readonly string[],
  grants: readonly FilledGrants[],
): Promise<void> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
  const seal = fileSeal(join(directory, 'seal.key'), systemRandom)
  const ports = { database, seal, clock: createClock(), random: systemRandom }
  const { deploymentId, domainKeys } = await openDeployment(ports)
  const keyring = keyringOf(deploymentId, domainKeys, systemRandom)
  const store = createStore(database, keyring, {
    onForgedRow(table) {
      throw new Error(`forged: ${table}`)
    },
  })
  await fillKeys(store, keyring, keyIds)
  for (const each of grants) await fillGrants(store, each)
  await database.close()
}

async function fillKeys(store: Store, keyring: Keyring, keyIds: readonly string[]): Promise<void> {
  const createdAt = Date.now()
  const kind = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' } as const
  for (let from = 0; from < keyIds.length; from += keysInTransaction) {
    await store.change(async (transaction) => {
      for (const keyId of keyIds.slice(from, from + keysInTransaction)) {
        const ref = { accountId, region, keyId }
        const material = wrapMaterial(keyring, { ...ref, ...kind, createdAt }, randomBytes(32))
        const { materialId } = material
        await transaction.insertKey({
          ...ref,
          ...kind,
          manager: 'CUSTOMER',
          state: 'Enabled',
          description: '',
          createdAt,
          currentMaterialId: materialId,
          policy: keyPolicy,
          policyPrincipals: {},
          tags: [],
        })
        await transaction.insertMaterial(material)
        await transaction.insertMaterialState({ ...ref, materialId, ordinal: 1, state: 'CURRENT' })
        const alias = { accountId, region, name: `alias/${keyId}`, targetKeyId: keyId }
        await transaction.insertAlias({ ...alias, createdAt, updatedAt: createdAt })
      }
    })
  }
}

async function fillGrants(store: Store, grants: FilledGrants): Promise<void> {
  const { keyId, count, grantee, constraints } = grants
  for (let from = 0; from < count; from += grantsInTransaction) {
    await store.change(async (transaction) => {
      for (let index = from; index < Math.min(count, from + grantsInTransaction); index += 1) {
        const [granteePrincipal, granteeId] = grantee(index)
        const limits = constraints?.(index)
        await transaction.insertGrant({
          accountId,
          region,
          keyId,
          grantId: randomBytes(32).toString('hex'),
          granteePrincipal,
          granteeId,
          retiringPrincipal: granteePrincipal,
          retiringId: granteeId,
          issuingAccountId: accountId,
          operations: [
            'Decrypt',
            'DescribeKey',
            'Encrypt',
            'GenerateDataKey',
            'ReEncryptFrom',
            'ReEncryptTo',
          ],
          ...(limits && { constraints: limits }),
          createdAt: Date.now(),
        })
      }
    })
  }
}
