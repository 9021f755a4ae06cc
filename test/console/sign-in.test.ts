/** Signing in with an access key, in a real browser. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import { accountId, credentials, region } from '../harness.ts'
import { fillSignIn, openPage, signIn, workplace } from './browser.ts'

const { get } = workplace()

test('a person signs in, sees account and Region, and the table of keys', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { KeyMetadata } = await place.server.client().send(new CreateKeyCommand())
  const TargetKeyId = KeyMetadata?.KeyId ?? ''
  const alias = { AliasName: 'alias/sign-in', TargetKeyId }
  await place.server.client().send(new CreateAliasCommand(alias))
  const { page } = await openPage(place)
  await signIn(page, place)
  const bar = page.locator('#top-bar')
  assert.match((await bar.textContent()) ?? '', new RegExp(accountId))
  assert.match((await bar.textContent()) ?? '', new RegExp(region))
  const row = page.getByRole('row').filter({ hasText: 'sign-in' })
  await row.getByText('Enabled').waitFor()
  assert.match((await row.textContent()) ?? '', new RegExp(TargetKeyId))
  assert.equal(await page.title(), 'Customer managed keys · Trent')
})

test('the first table comes with at most 500 KB, and its buttons do not touch', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page } = await openPage(place)
  const sizes: Promise<number>[] = []
  page.on('requestfinished', (request) => {
    if (request.url().includes('/console/')) {
      sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
    }
  })
  await signIn(page, place)
  await page.getByRole('row').nth(1).waitFor()
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  assert.ok(bytes > 100_000, `only ${bytes} bytes were seen`)
  assert.ok(bytes <= 500 * 1024, `${bytes} bytes`)
  for (const width of [1400, 390]) {
    await page.setViewportSize({ width, height: 844 })
    const actions = await page.getByRole('button', { name: 'Key actions' }).first().boundingBox()
    const create = await page.getByRole('link', { name: 'Create key' }).first().boundingBox()
    assert.ok(actions && create)
    const across = create.x - (actions.x + actions.width)
    const down = create.y - (actions.y + actions.height)
    assert.ok(Math.max(across, down) >= 4, `${across} and ${down} pixels apart, ${width} wide`)
  }
})

test('wrong credentials say so, with AWS’s code, and a second attempt succeeds', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page, expect } = await openPage(place)
  expect(/status of 40[03]/)
  await page.goto(`${place.server.url}/console/`)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  assert.equal(await page.getByText('Enter a value').count(), 2)
  await fillSignIn(page, { ...credentials, secretAccessKey: 'not-the-secret' })
  await page.getByText('The sign-in failed').waitFor()
  assert.match((await page.locator('form').textContent()) ?? '', /SignatureDoesNotMatch/)
  await fillSignIn(page, { ...credentials, accessKeyId: 'NOBODY' })
  await page.getByText('InvalidClientTokenId').waitFor()
  await fillSignIn(page, credentials)
  await page.getByRole('heading', { name: 'Customer managed keys' }).first().waitFor()
})

test('credentials are in the memory of the page only: not in storage, cookies or the address', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page } = await openPage(place)
  await signIn(page, place)
  const kept = await page.evaluate(`indexedDB.databases().then((databases) =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, databases]))`)
  assert.equal(kept, '[{},{},"",[]]')
  assert.doesNotMatch(page.url(), new RegExp(credentials.accessKeyId))
  await page.reload()
  await page.getByLabel('Access key ID').waitFor()
  assert.equal(
    place.server.logged.some((line) => line.includes(credentials.secretAccessKey)),
    false,
  )
})
