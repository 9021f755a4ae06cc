/** Calls in the console: tried, looked up in the activity, and explained by their error message. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  EncryptCommand,
  type KeySpec,
  ListKeysCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import type { Locator, Page } from 'playwright-core'
import { openIdentities } from '../compat/identities.ts'
import { by, lookUpSoon, trailClient } from '../compat/trails.ts'
import { having, watchClient } from '../compat/watching.ts'
import { credentials, region } from '../harness.ts'
import { openPage, signIn, until, workplace, type Workplace } from './browser.ts'

const { get } = workplace()

async function newKey(
  { server }: Workplace,
  KeySpec: KeySpec,
  KeyUsage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY',
): Promise<string> {
  const made = await server.client().send(new CreateKeyCommand({ KeySpec, KeyUsage }))
  return made.KeyMetadata?.KeyId ?? ''
}

/** Counts are stored a little later. */
async function isCounted(
  watch: CloudWatchClient,
  Dimensions: ReturnType<typeof having>,
): Promise<boolean> {
  const metric = { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest', Dimensions }
  const { Metrics = [] } = await watch.send(new ListMetricsCommand(metric))
  return Metrics.length > 0
}

const has = (field: Locator, text: string) => async (): Promise<boolean> =>
  (await field.inputValue()) === text

async function tryWith(page: Page, { server }: Workplace, key: string): Promise<Locator> {
  await page.goto(`${server.url}/console/#/${region}/try?key=${key}`)
  await page.getByRole('heading', { name: 'Try it' }).waitFor()
  return page.getByTestId('result')
}

test('"try it" offers the algorithms of the key: RSA encrypts and decrypts, a signature verifies', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const rsa = await newKey(place, 'RSA_2048', 'ENCRYPT_DECRYPT')
  const signer = await newKey(place, 'ECC_NIST_P384', 'SIGN_VERIFY')
  const { page, expect } = await openPage(place)
  // A signature that is not valid is an error of KMS.
  expect(/status of 400/)
  await signIn(page, place)
  const call = page.getByRole('button', { name: 'Call', exact: true })
  const result = await tryWith(page, place, rsa)
  await page.getByRole('button', { name: 'Algorithm RSAES_OAEP_SHA_1', exact: true }).waitFor()
  assert.equal(await page.getByLabel('Encryption context').count(), 0)
  await page.getByLabel('Plaintext').fill('under RSA')
  await call.click()
  const ciphertext = (await result.textContent()) ?? ''
  assert.equal(Buffer.from(ciphertext, 'base64').length, 256)
  await page.getByText('--encryption-algorithm RSAES_OAEP_SHA_1').waitFor()
  await page.getByRole('button', { name: 'Decrypt', exact: true }).click()
  await page.getByLabel('Ciphertext (base64)').fill(ciphertext)
  await call.click()
  await result.getByText('under RSA').waitFor()
  await page.getByLabel('Key', { exact: true }).fill(signer)
  await page.getByRole('button', { name: 'Sign', exact: true }).click()
  await page.getByRole('button', { name: 'Algorithm ECDSA_SHA_384', exact: true }).waitFor()
  await page.getByLabel('Message').fill('signed')
  await call.click()
  const signature = (await result.textContent()) ?? ''
  const { SignatureValid } = await place.server.client().send(
    new VerifyCommand({
      KeyId: signer,
      Message: Buffer.from('signed'),
      Signature: Buffer.from(signature, 'base64'),
      SigningAlgorithm: 'ECDSA_SHA_384',
    }),
  )
  assert.equal(SignatureValid, true)
  await page.getByRole('button', { name: 'Verify', exact: true }).click()
  await page.getByLabel('Signature (base64)').fill(signature)
  await call.click()
  await result.getByText('The signature is valid').waitFor()
  await page.getByLabel('Message').fill('another')
  await call.click()
  await result.getByText('The signature is not valid').waitFor()
  // Another link that is followed in the open page fills the field anew.
  const key = page.getByLabel('Key', { exact: true })
  await key.fill('what somebody typed')
  await tryWith(page, place, signer)
  await until(has(key, signer))
})

test('an error message without a request id is explained, as the CLI prints it and over broken lines', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  const KeyId = await newKey(place, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  t.after(() => iam.destroy())
  await iam.send(new CreateUserCommand({ UserName: 'carol' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'carol' }))
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
  const asCarol = server.client({ credentials: { accessKeyId, secretAccessKey } })
  const said = await asCarol
    .send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
    .then(() => assert.fail('carol has no permission'))
    .catch(({ message }: Error) => message)
  assert.match(said, /^User: \S+user\/carol is not authorized to perform: kms:Encrypt on resource/)
  await lookUpSoon(trailClient(t, server), 1, by('Username', 'carol'))
  const { page } = await openPage(place)
  await signIn(page, place, undefined, 'why')
  const input = page.getByLabel('Request id or error message')
  const explain = page.getByRole('button', { name: 'Explain' })
  assert.equal(await explain.isDisabled(), true)
  await input.fill('it does not work')
  await explain.click()
  await page.getByText('no error message that names an operation').waitFor()
  const printed = `An error occurred (AccessDeniedException) when calling the Encrypt operation: ${said}`
  await input.fill(printed.replaceAll(' ', '\n    '))
  await explain.click()
  await page.getByText('It would be denied').waitFor()
  await page.getByText('user/carol').first().waitFor()
  await page.getByText('"Action": "kms:Encrypt"').first().waitFor()
  assert.match(page.url(), /why\?request=[\da-f-]{36}$/)
  // What was pasted stays, until another link is followed.
  assert.match(await input.inputValue(), /is\s+not\s+authorized/)
  await page.goto(`${server.url}/console/#/${region}/why`)
  await until(has(input, ''))
})

test('the filter of the activity is part of the address, and a key shows its own calls', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  const KeyId = await newKey(place, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  const kms = server.client()
  await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const arn = `arn:aws:kms:${region}:111122223333:key/${KeyId}`
  await lookUpSoon(trailClient(t, server), 2, by('ResourceName', arn))
  const watch = watchClient(t, server)
  await until(() => isCounted(watch, having({ KeyArn: arn, Operation: 'Encrypt' })))
  const { page } = await openPage(place)
  await signIn(page, place, undefined, `keys/${KeyId}/usage`)
  await page.getByText('Latest calls with this key').waitFor()
  await page.getByText('Encrypt', { exact: true }).first().waitFor()
  const name = 'Successful requests of the last 24 hours'
  await page.getByRole('application', { name }).waitFor()
  await page.getByRole('link', { name: 'Show activity of this key' }).click()
  const value = page.getByLabel('Value', { exact: true })
  await value.waitFor()
  assert.equal(await value.inputValue(), arn)
  const rows = page.getByRole('table', { name: 'Activity' }).getByRole('row')
  await rows.filter({ hasText: 'Encrypt' }).first().waitFor()
  await rows.filter({ hasText: 'CreateKey' }).first().waitFor()
  await page.getByRole('button', { name: /^Filter by/ }).click()
  await page.getByRole('option', { name: 'Operation' }).click()
  await value.fill('CreateKey')
  await page.getByRole('button', { name: 'Search' }).click()
  await page.waitForURL(/by=EventName&value=CreateKey$/)
  await rows.filter({ hasText: 'CreateKey' }).first().waitFor()
  await page.getByRole('checkbox', { name: 'Refused only' }).check()
  await page.waitForURL(/refused=$/)
  await page.getByText('No events match.').waitFor()
  // A link that is followed in the open page fills the fields, whatever somebody typed before.
  await value.fill('what somebody typed')
  await page.goto(`${server.url}/console/#/${region}/activity?by=Username&value=bob`)
  await until(has(value, 'bob'))
  await page.getByRole('button', { name: /^Filter by User name/ }).waitFor()
  // The address alone leads another person to the same view.
  const other = await openPage(place)
  await signIn(other.page, place, undefined, 'activity?by=EventName&value=CreateKey')
  await other.page.getByLabel('Value', { exact: true }).waitFor()
  assert.equal(await other.page.getByLabel('Value', { exact: true }).inputValue(), 'CreateKey')
})

test('the overview says which calls it looked at for refusals, and finds one behind many others', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server, newUser } = await openIdentities(t)
  const own = { browser: place.browser, server }
  const { kms, arn } = await newUser('erin')
  await assert.rejects(kms.send(new CreateKeyCommand()))
  const root = server.client()
  const call = (): Promise<unknown> => root.send(new ListKeysCommand())
  const callMany = async (count: number): Promise<void> => {
    for (let each = 0; each < count; each += 1) await call()
  }
  await callMany(70)
  const trails = trailClient(t, server)
  await lookUpSoon(trails, 70, by('EventName', 'ListKeys'))
  const { page } = await openPage(own)
  await signIn(page, own, undefined, 'overview')
  await page.getByText(/^Of all \d+ recorded calls of the last 24 hours$/).waitFor()
  await page.getByText(arn).waitFor()
  // Behind 200 other calls, it is not looked at, and the page says so.
  await callMany(150)
  await lookUpSoon(trails, 220, by('EventName', 'ListKeys'))
  await page.getByRole('link', { name: 'Activity' }).click()
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByText(/^Of the latest 200 recorded calls, which go back to/).waitFor()
  await page.getByText('None of these calls was refused.').waitFor()
  await page.getByRole('link', { name: 'Look at earlier calls in the activity' }).click()
  await page.getByRole('checkbox', { name: 'Refused only', checked: true }).waitFor()
})
