/** The life of a key in the console, in a real browser, with the official SDK as its application. @module */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  DescribeKeyCommand,
  DecryptCommand,
  EncapsulateCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  SignCommand,
  type KeyMetadata,
} from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { by, lookUpSoon, trailClient } from '../compat/trails.ts'
import { credentials, region } from '../harness.ts'
import { openPage, signIn, until, workplace, type Workplace } from './browser.ts'

const { get } = workplace()

async function newUser({ server }: Workplace, UserName: string): Promise<typeof credentials> {
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  await iam.send(new CreateUserCommand({ UserName }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  iam.destroy()
  const { AccessKeyId = '', SecretAccessKey = '' } = AccessKey ?? {}
  // The literal types of the fixed root credentials do not matter here.
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } as typeof credentials
}

interface Wizard {
  readonly alias: string
  /** Radio buttons of the first step, by label. */
  readonly choices?: readonly string[]
  readonly advanced?: readonly string[]
  readonly admins?: readonly string[]
  readonly users?: readonly string[]
}

/** Creates a key by the wizard. Returns its id, from the address of its screen. */
async function create(page: Page, of: Wizard): Promise<string> {
  const next = (): Promise<void> => page.getByRole('button', { name: 'Next', exact: true }).click()
  await page
    .getByRole('button', { name: 'Create key' })
    .or(page.getByRole('link', { name: 'Create key' }))
    .first()
    .click()
  for (const label of of.choices ?? []) await page.getByRole('radio', { name: label }).check()
  if (of.advanced !== undefined) {
    await page.getByRole('button', { name: 'Advanced options' }).click()
    for (const label of of.advanced) await page.getByRole('radio', { name: label }).check()
  }
  await next()
  await page.getByLabel('Alias', { exact: true }).fill(of.alias)
  await next()
  for (const name of of.admins ?? []) await page.getByRole('checkbox', { name }).check()
  await next()
  for (const name of of.users ?? []) await page.getByRole('checkbox', { name }).check()
  await next()
  await page.locator('.ace_content').getByText('key-consolepolicy-3').waitFor()
  await page.getByRole('button', { name: 'Finish' }).click()
  await page.getByText('The key is created', { exact: true }).first().waitFor()
  await page.waitForURL(/\/keys\/.{36}/)
  return /keys\/([\da-f-]{36}|mrk-[\da-f]{32})/.exec(page.url())?.[1] ?? ''
}

async function described({ server }: Workplace, KeyId: string): Promise<KeyMetadata> {
  const { KeyMetadata } = await server.client().send(new DescribeKeyCommand({ KeyId }))
  assert.ok(KeyMetadata)
  return KeyMetadata
}

async function rotationsOf({ server }: Workplace, KeyId: string): Promise<number> {
  const { Rotations = [] } = await server.client().send(new ListKeyRotationsCommand({ KeyId }))
  return Rotations.length
}

async function open(place: Workplace): ReturnType<typeof openPage> {
  const opened = await openPage(place)
  await signIn(opened.page, place)
  return opened
}

test('a key of the wizard serves its user, who loses it by the policy and is told why', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  await newUser(place, 'alice')
  const bob = await newUser(place, 'bob')
  const { page, expect } = await open(place)
  // The record of a call can be found some seconds after it. Until then, the page asks again.
  expect(/status of 400/)
  const id = await create(page, { alias: 'orders', admins: ['alice'], users: ['bob'] })
  const asBob = server.client({ credentials: bob })
  const Plaintext = Buffer.from('x')
  await asBob.send(new EncryptCommand({ KeyId: 'alias/orders', Plaintext }))
  // The default view: bob is a user. Without him, his call is refused.
  const users = page.getByRole('table', { name: 'Key users' })
  await users.getByRole('checkbox', { name: 'bob' }).check()
  await page.getByRole('button', { name: 'Remove' }).nth(1).click()
  await page.getByText('The key policy is saved').waitFor()
  const { Policy = '' } = await server.client().send(new GetKeyPolicyCommand({ KeyId: id }))
  assert.doesNotMatch(Policy, /user\/bob/)
  assert.match(Policy, /user\/alice/)
  const refused = await asBob.send(new EncryptCommand({ KeyId: id, Plaintext })).then(
    () => assert.fail('bob has no permission any more'),
    ({ $metadata }: { $metadata: { requestId: string } }) => $metadata.requestId,
  )
  // The page waits for the record for some seconds. A busy machine takes longer. Bob has made two calls.
  await lookUpSoon(trailClient(t, server), 2, by('Username', 'bob'))
  await page.getByRole('link', { name: 'Why was this denied?' }).click()
  await page.getByLabel('Request id or error message').fill(`it failed: ${refused}`)
  await page.getByRole('button', { name: 'Explain' }).click()
  await page.getByText('It would be denied').waitFor()
  await page.getByText('nothing in the identity policy allows it').first().waitFor()
  await page.getByText('"Action": "kms:Encrypt"').first().waitFor()
})

test('each kind of key comes out of the wizard, is used by the SDK, and a primary moves', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const { page } = await open(place)
  const Message = Buffer.from('m')
  const mac = await create(page, { alias: 'mac', choices: ['Generate and verify MAC', 'HMAC_384'] })
  await kms.send(new GenerateMacCommand({ KeyId: mac, Message, MacAlgorithm: 'HMAC_SHA_384' }))
  const list = (): Promise<unknown> => page.goto(`${place.server.url}/console/#/${region}/keys`)
  await list()
  const signer = await create(page, {
    alias: 'signer',
    choices: ['Asymmetric', 'Sign and verify', 'ECC_NIST_P384'],
  })
  await kms.send(new SignCommand({ KeyId: signer, Message, SigningAlgorithm: 'ECDSA_SHA_384' }))
  await list()
  const rsa = await create(page, { alias: 'rsa', choices: ['Asymmetric', 'RSA_2048'] })
  assert.equal((await described(place, rsa)).KeyUsage, 'ENCRYPT_DECRYPT')
  await list()
  const kem = await create(page, {
    alias: 'kem',
    choices: ['Asymmetric', 'Encapsulate and decapsulate', 'ML_KEM_768'],
  })
  await kms.send(new EncapsulateCommand({ KeyId: kem, EncapsulationAlgorithm: 'ML_KEM' }))
  await list()
  const global = await create(page, { alias: 'global', advanced: ['Multi-Region key'] })
  await page.getByRole('tab', { name: 'Regionality' }).click()
  await page.getByRole('button', { name: 'Create replica key' }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Region/ })
    .click()
  await page.getByRole('option', { name: 'eu-central-1' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Create replica key' }).click()
  await page.getByText('The replica key is being created').waitFor()
  const { MultiRegionConfiguration } = await described(place, global)
  assert.deepEqual(
    MultiRegionConfiguration?.ReplicaKeys?.map(({ Region }) => Region),
    ['eu-central-1'],
  )
  // Background jobs finish the replica, and then the change of the primary.
  const elsewhere = place.server.client({ region: 'eu-central-1' })
  const stateThere = async (): Promise<KeyMetadata | undefined> =>
    (await elsewhere.send(new DescribeKeyCommand({ KeyId: global }))).KeyMetadata
  await until(async () => (await stateThere())?.KeyState === 'Enabled')
  const change = page.getByRole('dialog', { name: 'Change primary Region' })
  await page.getByRole('button', { name: 'Change primary Region' }).click()
  await change
    .getByRole('button', { name: /Region/ })
    .first()
    .click()
  await page.getByRole('option', { name: 'eu-central-1' }).click()
  await change.getByRole('button', { name: 'Change primary Region' }).click()
  await page.getByText('The primary Region changes').waitFor()
  await until(async () => {
    const { MultiRegionConfiguration: now, KeyState } = (await stateThere()) ?? {}
    return now?.MultiRegionKeyType === 'PRIMARY' && KeyState === 'Enabled'
  })
  await page.goto(`${place.server.url}/console/#/eu-central-1/keys/${global}/regionality`)
  await page.getByRole('row', { name: /^eu-central-1 Primary/ }).waitFor()
  await page.getByRole('row', { name: new RegExp(`^${region} Replica`) }).waitFor()
})

test('key material is wrapped in the browser and imported: a secret, and a private key', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const { page } = await open(place)
  const sent: string[] = []
  page.on('request', (request) => sent.push(request.postData() ?? ''))
  const importFile = async (id: string, buffer: Buffer): Promise<void> => {
    await page.getByRole('button', { name: 'Import key material' }).click()
    const file = { name: 'key.bin', mimeType: 'application/octet-stream', buffer }
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByRole('dialog').getByRole('button', { name: 'Import key material' }).click()
    await page.getByText('The key material is imported').first().waitFor()
    assert.equal((await described(place, id)).KeyState, 'Enabled')
  }
  const secret = randomBytes(32)
  const id = await create(page, { alias: 'imported', advanced: ['External (import key material)'] })
  await importFile(id, secret)
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: id, Plaintext: Buffer.from('imported') }),
  )
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'imported')
  assert.equal(
    sent.some((body) => body.includes(secret.toString('base64'))),
    false,
  )
  // A private key needs the longer way: AES key wrap with padding behind RSA.
  await page.goto(`${place.server.url}/console/#/${region}/keys`)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = await create(page, {
    alias: 'imported-signer',
    choices: ['Asymmetric', 'Sign and verify', 'ECC_NIST_P256'],
    advanced: ['External (import key material)'],
  })
  await importFile(signer, Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })))
  const asked = { Message: Buffer.from('m'), SigningAlgorithm: 'ECDSA_SHA_256' } as const
  await kms.send(new SignCommand({ KeyId: signer, ...asked }))
})

test('a key is tagged, rotated, tried, disabled, scheduled for deletion and saved from it', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const { page } = await open(place)
  const id = await create(page, { alias: 'life' })
  await page.getByRole('tab', { name: 'Tags' }).click()
  await page.getByRole('button', { name: 'Add tag' }).click()
  await page.getByLabel('Key 1').fill('team')
  await page.getByLabel('Value 1').fill('orders')
  await page.getByRole('button', { name: 'Save changes' }).click()
  // The button is disabled while it saves, too: that it is, says nothing.
  await page.getByText('Saved', { exact: true }).first().waitFor()
  const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: id }))
  assert.deepEqual(Tags, [{ TagKey: 'team', TagValue: 'orders' }])
  await page.getByRole('tab', { name: 'Key material and rotations' }).click()
  await page.getByRole('button', { name: 'Rotate now' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate now' }).click()
  await page.getByText('The key rotates').waitFor()
  // A background job finishes the rotation.
  await until(async () => (await rotationsOf(place, id)) > 0)
  assert.equal(await rotationsOf(place, id), 1)

  await page.goto(`${place.server.url}/console/#/${region}/try?key=${id}`)
  await page.getByLabel('Plaintext').fill('hello 🔑')
  await page.getByRole('button', { name: 'Call' }).click()
  const result = page.getByTestId('result')
  const ciphertext = (await result.textContent()) ?? ''
  await page.getByRole('button', { name: 'Decrypt', exact: true }).click()
  await page.getByLabel('Ciphertext (base64)').fill(ciphertext)
  await page.getByRole('button', { name: 'Call' }).click()
  await result.getByText('hello 🔑').waitFor()

  const { KeyLastUsage } = await kms.send(new GetKeyLastUsageCommand({ KeyId: id }))
  const eventId = KeyLastUsage?.CloudTrailEventId ?? ''
  await lookUpSoon(trailClient(t, place.server), 1, by('EventId', eventId))
  await page.goto(`${place.server.url}/console/#/${region}/keys/${id}`)
  const act = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'Key actions' }).click()
    await page.getByRole('menuitem', { name, exact: true }).click()
  }
  await act('Schedule key deletion')
  const dialog = page.getByRole('dialog')
  // Who used it last, and when, is shown before the button works.
  await dialog.getByText(/Last used .*, Decrypt, by arn:aws:iam::111122223333:root/).waitFor()
  const button = dialog.getByRole('button', { name: 'Schedule key deletion' })
  assert.equal(await button.isDisabled(), true)
  await dialog.getByLabel('Waiting period (in days)').fill('6')
  await dialog.getByText('Enter a whole number from 7 to 30').waitFor()
  await dialog.getByLabel('Waiting period (in days)').fill('7')
  await dialog.getByRole('checkbox').check()
  await button.click()
  await page.getByText('The key is pending deletion').waitFor()
  assert.equal((await described(place, id)).KeyState, 'PendingDeletion')
  await page.getByText('Pending deletion', { exact: true }).first().waitFor()
  await act('Cancel key deletion')
  await page.getByText('The deletion is cancelled').waitFor()
  assert.equal((await described(place, id)).KeyState, 'Disabled')
  await page.getByText('Disabled', { exact: true }).first().waitFor()
  await act('Enable')
  await page.getByText('The key is enabled').waitFor()
  assert.equal((await described(place, id)).KeyState, 'Enabled')
})
