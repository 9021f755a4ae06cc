/** How the console behaves when things go wrong, and with text from strangers. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { accountId, credentials, region, startTestServer } from '../harness.ts'
import { fillSignIn, openPage, signIn, workplace } from './browser.ts'

const { get } = workplace()

test('a session that ends in the middle of a form asks to sign in again, and loses nothing', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand())
  const KeyId = KeyMetadata?.KeyId ?? ''
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  t.after(() => iam.destroy())
  const UserName = 'clerk'
  await iam.send(new CreateUserCommand({ UserName }))
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: all })
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument }))
  const newKey = async (): Promise<{ accessKeyId: string; secretAccessKey: string }> => {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
    return { accessKeyId, secretAccessKey }
  }
  const first = await newKey()
  const { page, expect } = await openPage(place)
  expect(/status of 40[03]/)
  await signIn(page, place, first, `keys/${KeyId}`)
  await page.getByRole('button', { name: 'Edit description' }).click()
  await page.getByRole('textbox', { name: 'Description' }).fill('typed before the session ended')
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }))
  const dialog = page.getByRole('dialog', { name: 'Edit description' })
  // A call of the page itself may be the first to find this, and then its question lies above the button.
  await dialog.getByRole('button', { name: 'Save changes' }).dispatchEvent('click')
  await page.getByText('Your session has ended').waitFor()
  // Somebody else cannot go on in this page.
  await fillSignIn(page, credentials)
  await page.getByText(/This is not arn:aws:iam::\d+:user\/clerk/).waitFor()
  await fillSignIn(page, await newKey())
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText('typed before the session ended').waitFor()
  const { KeyMetadata: after } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(after?.Description, 'typed before the session ended')
})

test('a role whose session ends in the middle of a form is assumed again, and nothing is lost', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand())
  const KeyId = KeyMetadata?.KeyId ?? ''
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  t.after(() => iam.destroy())
  const all = { Effect: 'Allow', Action: '*', Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: all })
  const UserName = 'switcher'
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const trust = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust })
  const RoleName = 'keeper'
  const createRole = async (): Promise<void> => {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument }))
  }
  await createRole()
  const { page, expect } = await openPage(place)
  expect(/status of 40[03]/)
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
  await signIn(page, place, { accessKeyId, secretAccessKey }, `keys/${KeyId}`)
  await page.getByRole('button', { name: `Account ${accountId}` }).click()
  await page.getByRole('menuitem', { name: 'Switch role' }).click()
  const switching = page.getByRole('dialog', { name: 'Switch role' })
  await switching.getByLabel('Role', { exact: true }).fill(RoleName)
  await switching.getByRole('button', { name: 'Switch role' }).click()
  await switching.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Edit description' }).click()
  await page.getByRole('textbox', { name: 'Description' }).fill('typed in a role')
  // Sessions of a role end with it, also when another role gets its name.
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'all' }))
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await createRole()
  const dialog = page.getByRole('dialog', { name: 'Edit description' })
  // A call of the page itself may be the first to find this, and then its question lies above the button.
  await dialog.getByRole('button', { name: 'Save changes' }).dispatchEvent('click')
  await page.getByText('Your session has ended').waitFor()
  await page.getByRole('button', { name: 'Assume the role again' }).click()
  await dialog.waitFor({ state: 'hidden' })
  const { KeyMetadata: after } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(after?.Description, 'typed in a role')
  const account = page.locator('#top-bar').getByRole('button', { name: `Account ${accountId}` })
  await account.filter({ hasText: RoleName }).click()
  await page.getByRole('menuitem', { name: 'Switch back' }).click()
  await account.filter({ hasText: UserName }).waitFor()
})

test('a page stays usable when the server restarts under it', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const own = await startTestServer()
  const { page, expect } = await openPage({ browser: place.browser, server: own })
  expect(/ERR_CONNECTION_REFUSED|status of 503|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/)
  await signIn(page, { browser: place.browser, server: own })
  await page.getByText('No keys').first().waitFor()
  await own.stop('keep')
  const settings = { TRENT_LISTEN: `127.0.0.1:${own.port}` }
  const again = await startTestServer(settings, { directory: own.directory })
  t.after(() => again.stop())
  await again.client().send(new CreateKeyCommand({ Description: 'made after the restart' }))
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByRole('row').filter({ hasText: 'Enabled' }).waitFor()
})

test('text of strangers is shown as text: markup, other directions of writing, 256 emoji', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const markup = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
  const mirrored = '\u202Edlrow olleh\u202C שלום'
  const emoji = '🔑'.repeat(256)
  const keys: string[] = []
  for (const Description of [markup, mirrored, emoji]) {
    const Tags = [
      {
        TagKey: 'note',
        TagValue: `=${Description.replaceAll(/[^\p{L}\p{N} =]/gu, '')}`.slice(0, 200),
      },
    ]
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description, Tags }))
    keys.push(KeyMetadata?.KeyId ?? '')
  }
  const AliasName = `alias/${'constructor/__proto__/'.repeat(8)}x`
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keys[0] }))
  // The policy editor and "who can use it" show a policy of a stranger.
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Sid: markup,
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'kms:*',
      Resource: '*',
      // KMS takes no characters behind U+00FF here.
      Condition: { StringNotEquals: { 'aws:PrincipalTag/x': `</pre>${markup}` } },
    },
  })
  await kms.send(new PutKeyPolicyCommand({ KeyId: keys[0], Policy }))
  const { page } = await openPage(place)
  await signIn(page, place)
  await page.getByText('__proto__').first().waitFor()
  for (const [index, text] of [markup, mirrored, emoji].entries()) {
    await page.goto(`${place.server.url}/console/#/${region}/keys/${keys[index]}/tags`)
    await page.getByText(text).first().waitFor()
  }
  await page.goto(`${place.server.url}/console/#/${region}/keys/${keys[0]}/policy`)
  await page.locator('.ace_content').getByText('<img src=x onerror').first().waitFor()
  await page.goto(`${place.server.url}/console/#/${region}/keys/${keys[0]}/access`)
  await page.getByText('Who can use this key').first().waitFor()
  assert.match(await page.title(), /Trent$/)
  assert.equal(await page.locator('img[src=x]').count(), 0)
  const width = await page.evaluate<number>('document.documentElement.scrollWidth')
  assert.ok(width <= 1400, `the page is ${width} pixels wide`)
})

test('many keys are listed, paged and filtered, and a filter is part of the address', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const wanted = 1100
  for (let made = 0; made < wanted; made += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        kms.send(new CreateKeyCommand({ Description: `number ${made + at}` })),
      ),
    )
  }
  const { Keys = [] } = await kms.send(new ListKeysCommand({ Limit: 1 }))
  const TargetKeyId = Keys[0]?.KeyId ?? ''
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/needle', TargetKeyId }))
  const { page } = await openPage(place)
  await signIn(page, place)
  await page.getByText(/\(1,1\d\d\)/).waitFor()
  await page.getByRole('button', { name: /Next page/ }).click()
  assert.equal(await page.getByRole('row').count(), 21)
  const filter = page.getByPlaceholder('Find keys by alias, key ID or property')
  await filter.fill('needle')
  await page.keyboard.press('Enter')
  await page.getByText(/\(1\/1,1\d\d\)/).waitFor()
  assert.match(decodeURIComponent(page.url()), /needle/)
  await page.getByRole('row').filter({ hasText: TargetKeyId }).waitFor()
  // A link that somebody shares works in a page that is open there already.
  const tokens = [{ propertyKey: 'description', operator: ':', value: 'number 7' }]
  const link = new URLSearchParams({ filter: JSON.stringify({ tokens, operation: 'and' }) })
  await page.goto(`${place.server.url}/console/#/${region}/keys?${link.toString()}`)
  // 7, 70 to 79, and 700 to 799, once all keys are described.
  await page.getByText(/\(111\/1,1\d\d\)/).waitFor()
})

/** The name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const { activeElement: element } = document
    const [id] = (element.getAttribute('aria-labelledby') ?? '').split(' ')
    const labelled = element.getAttribute('aria-label') ?? document.getElementById(id)?.textContent
    return (labelled ?? element.textContent ?? '').trim().replace(/\\s+/g, ' ').slice(0, 30)
  })()`)
}

test('the keyboard alone creates a key', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page } = await openPage(place)
  await signIn(page, place, credentials, 'create-key')
  await page.getByRole('radio', { name: 'Symmetric', exact: true }).focus()
  const walked: string[] = []
  for (let step = 0; step < 6; step += 1) {
    walked.push(await focused(page))
    await page.keyboard.press('Tab')
  }
  assert.deepEqual(walked.slice(1), [
    'Encrypt and decrypt',
    'SYMMETRIC_DEFAULT',
    'Advanced options',
    'Cancel',
    'Next',
  ])
  await page.keyboard.press('Shift+Tab')
  await page.keyboard.press('Enter')
  await page.getByLabel('Alias', { exact: true }).focus()
  await page.keyboard.type('by-keyboard')
  await page.getByRole('button', { name: 'Next', exact: true }).focus()
  for (let step = 0; step < 3; step += 1) {
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: step === 2 ? 'Finish' : 'Next', exact: true }).focus()
  }
  await page.keyboard.press('Enter')
  await page.getByText('The key is created', { exact: true }).waitFor()
})

test('the keyboard alone goes into the policy editor, changes a policy, leaves it and saves', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const kms = place.server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand())
  const KeyId = KeyMetadata?.KeyId ?? ''
  const { page } = await openPage(place)
  await signIn(page, place, credentials, `keys/${KeyId}/policy`)
  await page.locator('.ace_content').getByText('Enable IAM User Permissions').waitFor()
  await page.getByRole('tab', { name: 'Key policy' }).focus()
  const walk = async (by: 'Tab' | 'Shift+Tab', count: number): Promise<readonly string[]> => {
    const walked: string[] = []
    for (let step = 0; step < count; step += 1) {
      await page.keyboard.press(by)
      walked.push(await focused(page))
    }
    return walked
  }
  assert.deepEqual(await walk('Tab', 7), [
    'Scroll right',
    'Key policy',
    'Code editor',
    'Editor gutter, press Enter to ',
    'Editor content, press Enter to',
    'Resize handle',
    'Preferences',
  ])
  await walk('Shift+Tab', 2)
  assert.match(await focused(page), /^Editor content/)
  await page.keyboard.press('Enter')
  await page.keyboard.press('Control+A')
  const wrong = '{ "Version": "2012-10-17", "Statement": [] }'
  await page.keyboard.insertText(wrong)
  await page.getByText('The policy has no “Statement”.').waitFor()
  await page.keyboard.press('Control+A')
  const Statement = {
    Sid: 'typed',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${accountId}:root` },
    Action: 'kms:*',
    Resource: '*',
  }
  await page.keyboard.insertText(JSON.stringify({ Version: '2012-10-17', Statement }))
  await page.getByText('The policy has no “Statement”.').waitFor({ state: 'hidden' })
  // Tab belongs to the editor now. Escape leaves it.
  await page.keyboard.press('Escape')
  const back = await walk('Shift+Tab', 3)
  assert.deepEqual(back.slice(1), ['Code editor', 'Save changes'])
  await page.keyboard.press('Enter')
  await page.getByText('The key policy is saved').waitFor()
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
  assert.match(Policy, /typed/)
})
