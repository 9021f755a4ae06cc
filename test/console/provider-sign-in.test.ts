/** Signing in to the console by an identity provider, in a real browser and its pop-up. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { startPeopleProvider } from '../compat/real-provider.ts'
import { accountId, credentials, region } from '../harness.ts'
import { openPage, screenshot, workplace, type Workplace } from './browser.ts'
import { clientId, startOidcProvider } from './oidc-provider.ts'

const provider = await startOidcProvider()
after(() => provider.close())
const certified = await startPeopleProvider()
after(() => certified.close())
/** Certified providers at which the console has a secret, by the method that each takes alone. */
const confidential = {
  client_secret_basic: await startPeopleProvider(),
  client_secret_post: await startPeopleProvider(),
} as const
after(() => Promise.all(Object.values(confidential).map((each) => each.close())))
const folder = mkdtempSync(join(tmpdir(), 'trent-console-secret-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const secretFile = join(folder, 'console-secret')
const secret = 'S3cret: +/%&=~ of the console'
writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 })
const RoleName = 'people'
const roleArn = `arn:aws:iam::${accountId}:role/${RoleName}`
const { get } = workplace({
  TRENT_WEB_IDENTITY_HOSTS: [provider, certified, ...Object.values(confidential)]
    .map(({ host }) => host)
    .join(','),
  TRENT_CONSOLE_SIGN_IN: [
    `Example:issuer=${provider.url};client-id=${clientId};scope=openid email;role=${roleArn}`,
    `Certified:issuer=${certified.url};client-id=${clientId}`,
    ...Object.entries(confidential).map(
      ([name, { url }]) =>
        `${name}:issuer=${url};client-id=${clientId};client-secret-file=${secretFile}`,
    ),
  ].join(','),
})

const document = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })

async function createRole(iam: IAMClient, of = provider.url, given = { RoleName }): Promise<void> {
  const name = of.replace('http://', '')
  const AssumeRolePolicyDocument = document({
    Principal: { Federated: `arn:aws:iam::${accountId}:oidc-provider/${name}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: { StringEquals: { [`${name}:aud`]: clientId, [`${name}:sub`]: 'alice' } },
  })
  await iam.send(new CreateRoleCommand({ ...given, AssumeRolePolicyDocument }))
  const PolicyDocument = document({ Action: '*', Resource: '*' })
  await iam.send(new PutRolePolicyCommand({ ...given, PolicyName: 'all', PolicyDocument }))
}

let registering: Promise<IAMClient> | undefined

/** The account knows the provider, and a role of it trusts alice. */
function registered({ server }: Workplace): Promise<IAMClient> {
  registering ??= (async () => {
    provider.register(`${server.url}/console/signed-in.html`)
    const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
    const people = Object.values(confidential)
    for (const { url: Url } of [provider, certified, ...people]) {
      const given = { Url, ClientIDList: [clientId] }
      await iam.send(new CreateOpenIDConnectProviderCommand(given))
    }
    await createRole(iam)
    return iam
  })()
  return registering
}

after(async () => (await registering)?.destroy())

/** Opens the pop-up. Its problems are problems of the test. */
async function openPopUp(t: TestContext, page: Page): Promise<Page> {
  const opening = page.waitForEvent('popup')
  await page.getByRole('button', { name: 'Sign in with Example' }).click()
  const popUp = await opening
  const problems: string[] = []
  popUp.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  popUp.on('pageerror', (error) => problems.push(`thrown: ${error.message}`))
  t.after(() => assert.deepEqual(problems, [], 'problems of the pop-up'))
  return popUp
}

/** Answers in the pop-up, and waits until it has closed itself. */
async function answer(popUp: Page, link: 'Continue as alice' | 'Refuse'): Promise<void> {
  const closing = popUp.waitForEvent('close')
  await popUp.getByText(link).click()
  await closing
}

test('a person signs in at the provider and has the rights of the role', async (t) => {
  const place = get(t)
  if (place === undefined) return
  await registered(place)
  await place.server.client().send(new CreateKeyCommand({ Description: 'for alice' }))
  const { page } = await openPage(place)
  const visited: string[] = []
  page.on('request', (request) => visited.push(request.url()))
  await page.goto(`${place.server.url}/console/#/${region}/keys`)
  await page.getByRole('button', { name: 'Sign in with Example' }).waitFor()
  await screenshot(page, 'provider-sign-in')
  const popUp = await openPopUp(t, page)
  await popUp.getByRole('heading', { name: 'Who are you?' }).waitFor()
  assert.equal(await page.locator('#top-bar').count(), 0)
  await answer(popUp, 'Continue as alice')
  const bar = page.locator('#top-bar')
  await bar.getByRole('button', { name: `Account ${accountId}` }).waitFor()
  assert.match((await bar.textContent()) ?? '', /people\/alice@example\.com/)
  await page.getByRole('row').filter({ hasText: 'Enabled' }).first().waitFor()
  assert.deepEqual(provider.faults, [])
  assert.equal(provider.exchanged.length, 1)
  const [code = ''] = provider.exchanged
  // Neither the code nor a token is in an address of the page, in storage, in a cookie or in the log.
  assert(!visited.some((url) => url.includes(code)))
  const kept = await page.evaluate<string>(
    'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href])',
  )
  assert.doesNotMatch(kept, new RegExp(`${code}|eyJ|alice`))
  assert.doesNotMatch(place.server.logged.join('\n'), new RegExp(`${code}|eyJ`))
})

test('each way in which a sign-in fails says so, and the next attempt succeeds', async (t) => {
  const place = get(t)
  if (place === undefined) return
  await registered(place)
  const { page, expect } = await openPage(place)
  expect(/status of (40[03]|502)/)
  await page.goto(`${place.server.url}/console/`)
  const role = page.getByLabel('Role')
  const says = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor()
  await role.fill('people')
  await page.getByRole('button', { name: 'Sign in with Example' }).click()
  await says('Enter the ARN of a role, such as')
  await role.fill('')
  await answer(await openPopUp(t, page), 'Refuse')
  await says('The identity provider refused the sign-in (access_denied).')
  await (await openPopUp(t, page)).close()
  await says('The window was closed before the sign-in was complete')
  provider.returning({ state: 'another' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('The answer is from another sign-in.')
  provider.returning({ iss: 'https://other.example' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('The answer is from another identity provider.')
  provider.returning({ code: 'somebody-else’s' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('in their right form')
  provider.returning({ code: 'made-up' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('The identity provider refused the code (invalid_grant).')
  provider.returning({})
  provider.claiming({ nonce: 'another' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('The ID token is from another sign-in.')
  provider.claiming({ sub: 'mallory' })
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('Not authorized to perform sts:AssumeRoleWithWebIdentity')
  provider.claiming({})
  provider.working(false)
  await answer(await openPopUp(t, page), 'Continue as alice')
  await says('The identity provider does not answer as it should.')
  provider.working(true)
  await page.evaluate('window.open = () => null')
  await page.getByRole('button', { name: 'Sign in with Example' }).click()
  await says('The browser blocked the window of the identity provider.')
  await page.reload()
  await page.getByLabel('Role').fill(roleArn)
  await answer(await openPopUp(t, page), 'Continue as alice')
  await page.locator('#top-bar').waitFor()
})

test('a session that has ended is renewed at the provider, and nothing typed is lost', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const iam = await registered(place)
  const kms = place.server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand())
  const KeyId = KeyMetadata?.KeyId ?? ''
  const { page, expect } = await openPage(place)
  expect(/status of 40[03]/)
  await page.goto(`${place.server.url}/console/#/${region}/keys/${KeyId}`)
  await answer(await openPopUp(t, page), 'Continue as alice')
  await page.getByRole('button', { name: 'Edit description' }).click()
  await page.getByRole('textbox', { name: 'Description' }).fill('typed by alice')
  // Sessions of a role end with it, also when another role gets its name.
  await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'all' }))
  await iam.send(new DeleteRoleCommand({ RoleName }))
  await createRole(iam)
  const dialog = page.getByRole('dialog', { name: 'Edit description' })
  // A call of the page itself may be the first to find this, and then its question lies above the button.
  await dialog.getByRole('button', { name: 'Save changes' }).dispatchEvent('click')
  await page.getByText('Your session has ended').waitFor()
  await answer(await openPopUp(t, page), 'Continue as alice')
  await dialog.waitFor({ state: 'hidden' })
  const { KeyMetadata: changed } = await kms.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(changed?.Description, 'typed by alice')
})

test('a provider’s page that is cut off from the console says what to do', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page } = await openPage(place)
  await page.goto(`${place.server.url}/console/signed-in.html?code=a-code&state=x`)
  await page.getByText('The identity provider has cut this window off').waitFor()
  assert.equal(new URL(page.url()).search, '')
})

/** Signs in as alice at a certified provider. Resolves when its window has closed itself. */
async function signInAtCertified(page: Page, name: string): Promise<void> {
  // The provider remembers who was there.
  await page.context().clearCookies()
  const opening = page.waitForEvent('popup')
  await page.getByRole('button', { name: `Sign in with ${name}` }).click()
  const popUp = await opening
  await popUp.getByPlaceholder('Enter any login').fill('alice')
  await popUp.getByPlaceholder('and password').fill('any')
  const closing = popUp.waitForEvent('close')
  await popUp.getByRole('button', { name: 'Sign-in' }).click()
  await popUp.getByRole('button', { name: 'Continue' }).click()
  await closing
}

/** A page that proposes the role, in a browser without what is elsewhere, such as a provider's fonts. */
async function openForRole(place: Workplace, role: string): ReturnType<typeof openPage> {
  const opened = await openPage(place)
  const { page } = opened
  await page.context().route(/^https:/, (route) => route.abort())
  await page.goto(`${place.server.url}/console/#/${region}/keys`)
  await page.getByLabel('Role').fill(`arn:aws:iam::${accountId}:role/${role}`)
  return opened
}

function isIn(page: Page, who: string): Promise<void> {
  const account = page.locator('#top-bar').getByRole('button', { name: `Account ${accountId}` })
  return account.filter({ hasText: who }).waitFor()
}

test('a certified provider signs people in as well', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const iam = await registered(place)
  certified.admit(clientId, `${place.server.url}/console/signed-in.html`)
  await createRole(iam, certified.url, { RoleName: 'certified' })
  const { page } = await openForRole(place, 'certified')
  await signInAtCertified(page, 'Certified')
  await isIn(page, 'certified/alice')
})

for (const method of ['client_secret_basic', 'client_secret_post'] as const) {
  test(`a certified provider that wants a secret gets it, by ${method}, and no page does`, async (t) => {
    const place = get(t)
    if (place === undefined) return
    const { server } = place
    const iam = await registered(place)
    const people = confidential[method]
    people.admit(clientId, `${server.url}/console/signed-in.html`, { value: secret, method })
    await createRole(iam, people.url, { RoleName: method })
    const { page, expect } = await openForRole(place, method)
    expect(/status of 502/)
    const answers: Promise<string>[] = []
    page.on('response', (response) => answers.push(response.text().catch(() => '')))
    // The operator has put another secret there.
    writeFileSync(secretFile, 'another')
    await signInAtCertified(page, method)
    await page
      .getByText('The console is not set up as a client of this identity provider')
      .waitFor()
    rmSync(secretFile)
    await page.getByRole('button', { name: `Sign in with ${method}` }).click()
    await page.getByText('The log of the server says why').waitFor()
    // No restart is needed.
    writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 })
    await signInAtCertified(page, method)
    await isIn(page, `${method}/alice`)
    const log = server.logged.join('\n')
    assert.match(log, /it refuses the client trent-console: invalid_client/)
    assert.match(log, /console-secret cannot be read: ENOENT/)
    const seen = [log, ...(await Promise.all(answers))].join('\n')
    assert.match(seen, /"idToken"/)
    for (const each of [secret, encodeURIComponent(secret), secretFile]) {
      assert.equal(seen.replaceAll(`${secretFile} cannot be read`, '').includes(each), false, each)
    }
  })
}
