/** Files that contradict the store or themselves: one line with its place, and nothing done. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { callOperator } from '../../src/operator/client.ts'
import { region, startTestServer } from '../harness.ts'
import {
  apply,
  curve,
  type File,
  first,
  material,
  policyOf,
  richFile,
  symmetricId,
} from './applied.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(async () => {
  await server.stop()
})
async function reset(): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  await fetch(`${server.url}/_trent/test/reset`, { method: 'POST', body: '{}', headers })
}

const iamArn = `arn:aws:iam::${first}`
const changesNow = async (): Promise<number> =>
  ((await callOperator(server.directory, 'GetStatus')) as { changes: number }).changes

/** Each is refused with just this line, and nothing of its file is done. */
const contradictions: readonly (readonly [
  what: string,
  edit: (account: File, file: File) => void,
  refusal: RegExp,
])[] = [
  [
    'another spec',
    ({ keys }) => (keys[3].keySpec = 'ECC_NIST_P384'),
    /is not material of ECC_NIST_P384/,
  ],
  [
    'another usage',
    ({ keys }) => (keys[3].keyUsage = 'KEY_AGREEMENT'),
    /key\/31111111-.* exists with SIGN_VERIFY, not KEY_AGREEMENT$/,
  ],
  [
    'another origin',
    ({ keys }) => Object.assign(keys[7], { origin: 'EXTERNAL' }),
    /exists with AWS_KMS, not EXTERNAL$/,
  ],
  [
    'other material',
    ({ keys }) => (keys[0].material = Buffer.alloc(32, 9).toString('base64')),
    /exists with other material$/,
  ],
  [
    'another secret',
    ({ users }) => (users[0].accessKeys[0].secretAccessKey = 'another-secret'),
    /`AKIAALICE00000000001` has another secret/,
  ],
  [
    'somebody else’s access key',
    ({ users }) =>
      users.push({ name: 'bob', accessKeys: [...users[0].accessKeys] }) &&
      delete users[0].accessKeys,
    /`AKIAALICE00000000001` belongs to another principal$/,
  ],
  ['another path', ({ users }) => (users[0].path = '/other/'), /exists with the path \/people\/$/],
  [
    'a name in another case',
    ({ roles }) =>
      roles.push({ name: 'APP', trustPolicy: policyOf('sts:AssumeRole', `${iamArn}:root`) }),
    /`app` appears twice$/,
  ],
  [
    'a key twice',
    ({ keys }) => keys.push({ keyId: symmetricId, region }),
    /`11111111-2222-4333-8444-555555555555` appears twice$/,
  ],
  [
    'an alias of two keys',
    ({ keys }) => (keys[2].aliases = ['alias/app']),
    /`alias\/app` appears twice$/,
  ],
  [
    'an account twice',
    (_account, file) => file.accounts.push({ accountId: first }),
    /appears twice$/,
  ],
  [
    'an alias of AWS',
    ({ keys }) => (keys[2].aliases = ['alias/aws/s3']),
    /NotAuthorizedException$/,
  ],
  [
    'an alias that moves to another kind of key',
    ({ keys }) => (keys[2].aliases = keys[0].aliases.splice(0, 1)),
    /Alias alias\/app cannot be changed/,
  ],
  [
    'nobody of that name',
    ({ keys }) => (keys[0].grants[0].granteePrincipal = 'role/nobody'),
    /valid principal/,
  ],
  [
    'no such policy',
    ({ users }) => (users[0].attachedPolicies = ['Missing']),
    /no managed policy `Missing`/,
  ],
  ['no such group', ({ users }) => (users[0].groups = ['missing']), /there is no group `missing`/],
  [
    'a misspelt member',
    ({ keys }) => (keys[0].aliasses = []),
    /has the unknown name `aliasses`; did you mean aliases\?/,
  ],
  ['a wrong value', ({ keys }) => (keys[0].keySpec = 'AES'), /`AES` must be one of RSA_2048, /],
  ['a member that is missing', ({ keys }) => delete keys[0].keyId, /is needed$/],
  [
    'a policy that locks out',
    ({ keys }) => (keys[0].policy = keyPolicyOf('user/people/alice')),
    /will not allow you to update/,
  ],
  ['a broken policy', ({ policies }) => (policies[0].document = { Version: '2012-10-17' }), /./],
  [
    'a text that is no policy',
    ({ policies }) => (policies[0].document = '{'),
    /Syntax errors in policy\.$/,
  ],
  [
    'an unknown Region',
    ({ keys }) => (keys[2].region = 'xx-nowhere-1'),
    /not a Region of the partition aws$/,
  ],
  [
    'a Region of another partition',
    ({ keys }) => (keys[2].region = 'cn-north-1'),
    /not a Region of the partition aws$/,
  ],
  ['material of another length', ({ keys }) => (keys[0].material = 'AAAA'), /32 bytes are needed$/],
  [
    'material of another kind',
    ({ keys }) => (keys[2].material = curve.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    /is not material of RSA_2048: a private key in PKCS #8 is needed$/,
  ],
  [
    'no PEM',
    ({ keys }) => (keys[2].material = '-----BEGIN PRIVATE KEY-----\nx\n'),
    /a private key in PEM/,
  ],
  [
    'material twice',
    ({ keys }) => (keys[0].earlierMaterials = [material]),
    /is the same as another material of the key$/,
  ],
  [
    'material of a kind that is made here alone',
    ({ keys }) =>
      keys.push({
        keyId: '91111111-2222-4333-8444-555555555555',
        keySpec: 'ML_DSA_44',
        keyUsage: 'SIGN_VERIFY',
        material,
      }),
    /ML_DSA_44 keys cannot have fixed material$/,
  ],
  [
    'a usage that does not fit',
    ({ keys }) => (keys[2].keyUsage = 'KEY_AGREEMENT'),
    /not compatible with KeySpec RSA_2048$/,
  ],
  [
    'replicas of a key of one Region',
    ({ keys }) => (keys[2].replicas = [{ region: 'eu-west-1' }]),
    /are only for multi-Region keys/,
  ],
  [
    'an id of a multi-Region key',
    ({ keys }) => (keys[1].multiRegion = false),
    /begin with mrk- if the key is multi-Region/,
  ],
  [
    'an access key of the first account’s root',
    (account) =>
      (account.accessKeys = [{ accessKeyId: 'OTHERROOT', secretAccessKey: 'other-root-secret' }]),
    /that of the settings$/,
  ],
  [
    'an id of temporary credentials',
    ({ users }) => (users[0].accessKeys[0].accessKeyId = 'ASIAALICE'),
    /temporary credentials/,
  ],
  [
    'too many tags',
    ({ keys }) =>
      (keys[0].tags = Object.fromEntries(
        Array.from({ length: 51 }, (_, index) => [`t${index}`, 'x']),
      )),
    /[Tt]oo many tags/,
  ],
  ['a tag of AWS', ({ users }) => (users[0].tags = { 'aws:x': 'y' }), /reserved/],
  [
    'a service control policy that is none',
    (account) => (account.serviceControlPolicies = [[{ Version: '2012-10-17' }]]),
    /serviceControlPolicies\.1\.1: /,
  ],
  [
    'no organisation of that form',
    (account) => (account.organizationId = 'mine'),
    /`mine` must match \^o-/,
  ],
  [
    'a provider at a private address',
    (account) => (account.oidcProviders = [{ url: 'http://localhost:1' }]),
    /TRENT_WEB_IDENTITY_HOSTS$/,
  ],
]

function keyPolicyOf(name: string): object {
  const principal = { Principal: { AWS: `${iamArn}:${name}` } }
  const statement = { Effect: 'Allow', ...principal, Action: 'kms:*', Resource: '*' }
  return { Version: '2012-10-17', Statement: [statement] }
}

test('a file that contradicts the store or itself is refused in one line with its place, and nothing is done', async (t) => {
  await reset()
  await apply(server, richFile())
  for (const [what, edit, refusal] of contradictions) {
    await t.test(what, async () => {
      const file = richFile()
      // Something that would be made first, were it not all or nothing.
      file.accounts[0].users.push({ name: 'newcomer' })
      edit(file.accounts[0], file)
      const before = await changesNow()
      const error: unknown = await apply(server, file).then(
        () => assert.fail('it must be refused'),
        (reason: unknown) => reason,
      )
      assert(error instanceof Error)
      assert.match(error.message, /trent\.yaml:\d+:\d+: \S/)
      assert.match(error.message, refusal)
      assert(!error.message.includes('\n'))
      assert.equal(await changesNow(), before)
    })
  }
  assert.deepEqual((await apply(server, richFile())).changes, [])
})

test('the place is the line and the column of what is wrong', async () => {
  const text = [
    'accounts:',
    `  - accountId: "${first}"`,
    '    users:',
    '      - name: alice',
    '      - name: bob',
    '        policies:',
    '          own: {Version: "2012-10-17", Statement: [{Effect: Maybe}]}',
  ].join('\n')
  await assert.rejects(apply(server, text), {
    message: /trent\.yaml:7:11: the policy is malformed/,
  })
  const unquoted = text.replace(`"${first}"`, first)
  await assert.rejects(apply(server, unquoted), {
    message: /trent\.yaml:2:5: must be a string: quote values such as 123 or true$/,
  })
})
