/**
 * Who may make and change key stores, and what each refusal says and is explained with. The server's HSM
 * cluster cannot be used: its package is not installed.
 * @module
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  UpdateCustomKeyStoreCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import type { CallExplanation } from '../../src/operations/contract/access-questions.ts'
import { callOperator } from '../../src/operator/client.ts'
import { withoutPkcs11js } from '../pkcs11/soft-hsm.ts'
import { eventually } from '../start/node-process.ts'
import { temporaryFolder } from '../store/engines.ts'
import { clusterSettings, hsmSettings, makeClusterStore } from './cluster-store.ts'
import { makeStore } from './external-store.ts'
import { denied, notAllowed, openIdentities } from './identities.ts'
import { fails, makeKey, refused, validationError } from './sdk.ts'
import { trentOf } from './trent-command.ts'

const folder = temporaryFolder({ after: (end) => after(end) })
const settings = hsmSettings(withoutPkcs11js, folder)
const identities = await openIdentities({ after: (end) => after(end) }, settings)
const { root, newUser, server } = identities

const CustomKeyStoreId = 'cks-1234567890abcdef0'
/** What a call comes to that everything else allows. */
const unusable = 'CloudHsmClusterInvalidConfigurationException'
const whatToInstall =
  'Trent cannot use HSMs: PKCS #11 needs the package pkcs11js, compiled: run ' +
  '`npm run build:pkcs11` (it needs a C++ compiler, make and Python).'

test('where HSMs cannot be used, a key store is refused with what to install', async () => {
  await refused(makeClusterStore(root.kms), unusable, whatToInstall)
  const { CustomKeyStores } = await root.kms.send(new DescribeCustomKeyStoresCommand({}))
  assert.deepEqual(CustomKeyStores, [])
  await makeKey(root.kms)
})

test('the password of a key store has 7 to 32 characters', async () => {
  const update = (KeyStorePassword: string) =>
    root.kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, KeyStorePassword }))
  const create = (KeyStorePassword: string) => makeClusterStore(root.kms, { KeyStorePassword })
  for (const [characters, constraint] of [
    [6, 'have length greater than or equal to 7'],
    [33, 'have length less than or equal to 32'],
  ] as const) {
    const message = validationError(fails('', 'keyStorePassword', constraint))
    for (const give of [create, update]) {
      await refused(give('p'.repeat(characters)), 'ValidationException', message)
    }
  }
  for (const characters of [7, 32]) {
    const password = 'p'.repeat(characters)
    await refused(create(password), unusable, whatToInstall)
    await assert.rejects(update(password), { name: 'CustomKeyStoreNotFoundException' })
  }
})

test('each operation on key stores needs the permission of its name', async () => {
  const nobody = await newUser('nobody', { Action: 'cloudhsm:DescribeClusters' })
  const calls: Readonly<Record<string, (kms: KMSClient) => Promise<unknown>>> = {
    ConnectCustomKeyStore: (kms) =>
      kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId })),
    CreateCustomKeyStore: (kms) => kms.send(new CreateCustomKeyStoreCommand(clusterSettings)),
    DeleteCustomKeyStore: (kms) => kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId })),
    DescribeCustomKeyStores: (kms) =>
      kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId })),
    DisconnectCustomKeyStore: (kms) =>
      kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId })),
    UpdateCustomKeyStore: (kms) =>
      kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, NewCustomKeyStoreName: 'new' })),
  }
  for (const [name, call] of Object.entries(calls)) {
    const action = `kms:${name}`
    const message = notAllowed(nobody.arn, action, '*')
    await denied(call(nobody.kms), 'AccessDeniedException', 400, message)
    const allowed = [action, 'cloudhsm:DescribeClusters']
    const somebody = await newUser(name, { Action: allowed })
    const passed = name === 'CreateCustomKeyStore' ? unusable : 'CustomKeyStoreNotFoundException'
    await assert.rejects(call(somebody.kms), { name: passed }, name)
  }
})

test('a key store in a cluster also needs cloudhsm:DescribeClusters, and explain says so', async () => {
  const half = await newUser('half', { Action: 'kms:*' })
  const action = 'cloudhsm:DescribeClusters'
  const refusal = makeClusterStore(half.kms)
  await denied(refusal, 'AccessDeniedException', 400, notAllowed(half.arn, action, '*'))
  const requestId = await refusal.catch(
    (error: { readonly $metadata: { readonly requestId: string } }) => error.$metadata.requestId,
  )
  let found: unknown
  // A record is found some seconds after its call.
  await eventually(60_000, async () => {
    found = await callOperator(server.directory, 'ExplainAccess', { requestId }).catch(
      () => undefined,
    )
    return found !== undefined
  })
  const { call, now, unasked } = found as CallExplanation
  assert.deepEqual([call.eventName, call.caller], ['CreateCustomKeyStore', half.arn])
  assert.deepEqual(call.reasons.at(-1), { action, effect: 'implicit-deny', policy: 'identity' })
  assert.deepEqual([now, unasked], [undefined, `${action} was not asked of a key`])
  const text = await trentOf(identities)('explain', '--request', requestId)
  assert.match(text, /cloudhsm:DescribeClusters: nothing in the identity policies allows it/)
  // An external key store has no cluster: the next thing that is wrong is its service, which is not mapped.
  const external = makeStore(half.kms, {
    XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0',
  })
  await assert.rejects(external, { name: 'XksProxyVpcEndpointServiceNotFoundException' })
})

test('explain and who-can are asked of keys: what is no permission on a key is refused', async () => {
  const { keyId: key } = await makeKey(root.kms)
  for (const action of ['kms:CreateCustomKeyStore', 'cloudhsm:DescribeClusters']) {
    const message = new RegExp(`ValidationException.*no call asks for ${action} on a key`)
    const { arn: caller } = await newUser(`caller-${action.split(':').at(-1)}`)
    for (const [question, asked] of [
      ['ExplainAccess', { caller, action, key }],
      ['ListAccess', { action, key }],
    ] as const) {
      await assert.rejects(callOperator(server.directory, question, asked), message)
    }
  }
})
