/** What the tests of `trent apply` share: a file of everything, and applying one to a running server. @module */
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { askToApply } from '../../src/cli/apply.ts'
import { callOperator } from '../../src/operator/client.ts'
import type { Applied } from '../../src/operations/trent/apply.ts'
import type { TestServer } from '../harness.ts'

export const first = '111122223333'
export const second = '444455556666'
export const symmetricId = '11111111-2222-4333-8444-555555555555'
export const multiRegionId = 'mrk-11111111222243338444555555555555'
export const rsaId = '21111111-2222-4333-8444-555555555555'
export const curveId = '31111111-2222-4333-8444-555555555555'
export const macId = '41111111-2222-4333-8444-555555555555'
export const importedId = '51111111-2222-4333-8444-555555555555'
export const pendingId = '61111111-2222-4333-8444-555555555555'
export const randomId = '71111111-2222-4333-8444-555555555555'

export const material = Buffer.alloc(32, 1).toString('base64')
export const earlierMaterial = Buffer.alloc(32, 2).toString('base64')
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const curve = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

export const policyOf = (action: string, principal?: string): object => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: action,
      ...(principal === undefined ? { Resource: '*' } : { Principal: { AWS: principal } }),
    },
  ],
})

/** Anything that a test changes before it is applied. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests reach deep into it
export type File = any

/** One of everything, anew for each caller. */
export function richFile(): File {
  const alice = `arn:aws:iam::${first}:user/people/alice`
  const root = `arn:aws:iam::${first}:root`
  return {
    accounts: [
      {
        accountId: first,
        alias: 'first-account',
        organizationId: 'o-exampleorg',
        organizationUnit: 'r-ab12/ou-ab12-11111111',
        serviceControlPolicies: [[{ ...policyOf('*') }], [policyOf('*')]],
        resourceControlPolicies: [],
        policies: [
          {
            name: 'UseKeys',
            description: 'the use of keys',
            tags: { team: 'platform' },
            document: policyOf('kms:Encrypt'),
          },
          { name: 'Boundary', document: JSON.stringify(policyOf('kms:*'), null, 2) },
        ],
        groups: [
          {
            name: 'developers',
            path: '/teams/',
            attachedPolicies: ['UseKeys'],
            policies: { list: policyOf('kms:ListKeys') },
          },
        ],
        users: [
          {
            name: 'alice',
            path: '/people/',
            groups: ['developers'],
            permissionsBoundary: 'Boundary',
            policies: { own: policyOf('kms:ListAliases') },
            attachedPolicies: [`arn:aws:iam::${first}:policy/UseKeys`],
            tags: { cost: '5' },
            accessKeys: [
              { accessKeyId: 'AKIAALICE00000000001', secretAccessKey: 'alice-secret-for-ci' },
            ],
          },
        ],
        roles: [
          {
            name: 'app',
            description: 'the application',
            maxSessionDuration: 7200,
            trustPolicy: policyOf('sts:AssumeRole', alice),
            policies: { own: policyOf('kms:Decrypt') },
          },
          // The two name each other.
          {
            name: 'job',
            trustPolicy: policyOf('sts:AssumeRole', `arn:aws:iam::${first}:role/worker`),
          },
          {
            name: 'worker',
            trustPolicy: policyOf('sts:AssumeRole', `arn:aws:iam::${first}:role/job`),
          },
        ],
        oidcProviders: [
          { url: 'https://token.example.com/tenant', clientIds: ['sts.amazonaws.com'] },
        ],
        keys: [
          {
            keyId: symmetricId,
            description: 'the main key',
            material,
            earlierMaterials: [earlierMaterial],
            enableKeyRotation: true,
            rotationPeriodInDays: 90,
            aliases: ['alias/app', 'alias/app-2'],
            tags: { env: 'ci' },
            policy: {
              Version: '2012-10-17',
              Statement: [
                { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
                { Effect: 'Allow', Principal: { AWS: alice }, Action: 'kms:*', Resource: '*' },
              ],
            },
            grants: [
              {
                name: 'app',
                granteePrincipal: 'role/app',
                operations: ['Decrypt', 'Encrypt'],
                constraints: { encryptionContextSubset: { tenant: 'a' } },
              },
            ],
          },
          {
            keyId: multiRegionId,
            multiRegion: true,
            aliases: ['alias/multi'],
            replicas: [{ region: 'eu-west-1', description: 'there', aliases: ['alias/multi'] }],
          },
          {
            keyId: rsaId,
            keySpec: 'RSA_2048',
            keyUsage: 'SIGN_VERIFY',
            material: rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }),
          },
          {
            keyId: curveId,
            keySpec: 'ECC_NIST_P256',
            keyUsage: 'SIGN_VERIFY',
            material: curve.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
          },
          {
            keyId: macId,
            keySpec: 'HMAC_256',
            keyUsage: 'GENERATE_VERIFY_MAC',
            material: Buffer.alloc(40, 3).toString('base64'),
          },
          { keyId: importedId, origin: 'EXTERNAL', material },
          { keyId: pendingId, origin: 'EXTERNAL' },
          { keyId: randomId, enabled: false, region: 'eu-central-1' },
        ],
      },
      {
        accountId: second,
        accessKeys: [{ accessKeyId: 'SECONDROOT', secretAccessKey: 'second-root-secret' }],
        keys: [{ keyId: symmetricId, policy: policyOfTwo() }],
      },
    ],
  }
}

/** A key of the second account that a user of the first, which the same file makes, may use. */
function policyOfTwo(): object {
  const both = [`arn:aws:iam::${second}:root`, `arn:aws:iam::${first}:user/people/alice`]
  const statements = both.map((AWS) => ({
    Effect: 'Allow',
    Principal: { AWS },
    Action: 'kms:*',
    Resource: '*',
  }))
  return { Version: '2012-10-17', Statement: statements }
}

/** Applies a document, or the text of one, as the command does. */
export function apply(
  server: Pick<TestServer, 'directory'>,
  document: object | string,
  options: { readonly dryRun?: true; readonly prune?: true } = {},
): Promise<Applied> {
  const path = join(server.directory, 'trent.yaml')
  const text =
    typeof document === 'string' ? document : stringify(document, { aliasDuplicateObjects: false })
  writeFileSync(path, text)
  return askToApply(path, options, (operation, input) =>
    callOperator(server.directory, operation, input),
  )
}

/** One line for each change. */
export function shown({ changes }: Applied): readonly string[] {
  return changes.map(({ change, type, name, members }) =>
    [change, type, name, ...(members ?? [])].join(' '),
  )
}
