/** The server in the console: seal, nodes and quotas, who sees them, and a server that is sealed. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { credentials as ofNodes, startNode } from '../start/node-process.ts'
import { callOperator } from '../../src/operator/client.ts'
import { region, startTestServer } from '../harness.ts'
import { openPage, screenshot, signIn, until, workplace } from './browser.ts'

const { get } = workplace({ TRENT_QUOTAS: 'aws', TRENT_QUOTA_OVERRIDES: 'keys=7,CreateAlias=3' })

test('an administrator of the first account sees the seal, and the quotas with their use', async (t) => {
  const place = get(t)
  if (place === undefined) return
  await place.server.client().send(new CreateKeyCommand())
  const { page } = await openPage(place)
  await signIn(page, place, undefined, 'server')
  await page.getByText('Opens by itself').waitFor()
  await page.getByText('An embedded database has one node: this one.').waitFor()
  const resources = page.getByRole('table', { name: 'Resource quotas' })
  await resources.getByRole('row', { name: /^keys 1 7$/ }).waitFor()
  await page.getByLabel('Request quotas: Find quotas').fill('CreateAlias')
  const requests = page.getByRole('table', { name: 'Request quotas' })
  await requests.getByRole('row', { name: /^CreateAlias 3 3$/ }).waitFor()
  await until(async () => (await requests.getByRole('row').count()) === 2)
  await page.goto(`${place.server.url}/console/#/${region}/overview`)
  await page.getByText('file, opens by itself').waitFor()
  await page.getByText(/Of the last \d+ calls of this page/).waitFor()
})

test('another account sees its quotas, and that the deployment is not its own', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const made = (await callOperator(place.server.directory, 'CreateAccount', {})) as CreatedAccount
  const { page, expect } = await openPage(place)
  expect(/status of 400/)
  await signIn(page, place, made, 'server')
  await page.getByText('Only administrators of the first account').waitFor()
  const resources = page.getByRole('table', { name: 'Resource quotas' })
  await resources.getByRole('row', { name: /^keys 0 7$/ }).waitFor()
  assert.equal(await page.getByText('Opens by itself').count(), 0)
})

test('a sealed server says how it is unsealed, takes no share, and lets people in once it is open', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const server = await startTestServer({ TRENT_SEAL: 'passphrase' })
  t.after(() => server.stop())
  const { page, expect } = await openPage({ browser: place.browser, server })
  expect(/status of 503/)
  await page.goto(`${server.url}/console/`)
  await page.getByText('This server does not serve calls now').waitFor()
  await page.getByText('the root key is not open').waitFor()
  await page.getByText('trent unseal', { exact: true }).waitFor()
  const inputs = await page.getByRole('textbox').or(page.locator('input')).all()
  const labels = await Promise.all(inputs.map((each) => each.getAttribute('type')))
  assert.deepEqual(labels, ['text', 'password', 'password'], 'fields of the sign-in only')
  const passphrase = 'correct horse battery'
  await callOperator(server.directory, 'Initialize', { passphrase })
  await callOperator(server.directory, 'Unseal', { secret: passphrase })
  await server.server.ready
  await page.getByText('This server does not serve calls now').waitFor({ state: 'hidden' })
  await signIn(page, { browser: place.browser, server }, undefined, 'server')
  await page.getByText('Stays sealed until people unseal it').waitFor()
})

test(
  'with several nodes, each of them is shown, and one that is silent or drained is not shown as serving',
  { skip },
  async (t) => {
    const place = get(t)
    if (place === undefined) return
    const { url } = await testDatabase(t, testedVersions[0] ?? 0)
    const settings = {
      TRENT_DATABASE_URL: url,
      TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
    }
    const [node, other] = [await startNode(t, settings), await startNode(t, settings)]
    const there = { browser: place.browser, server: { ...place.server, url: node.url } }
    const { page } = await openPage(there)
    await signIn(page, there, ofNodes, 'server')
    const rows = page.getByRole('table', { name: 'Nodes' }).getByRole('row')
    const serving = rows.filter({ hasText: 'serving' })
    await serving.nth(1).waitFor()
    assert.equal(await rows.filter({ hasText: 'this node' }).count(), 1)
    for (const [size, width] of [
      ['wide', 1400],
      ['phone', 390],
    ] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        await screenshot(page, `server-nodes-${colorScheme}-${size}`)
      }
    }
    await page.setViewportSize({ width: 1400, height: 900 })
    // A node that was killed stays in the list, and is silent. Nobody waits a minute here.
    const nodes = '**/_trent/deployment'
    await page.route(nodes, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as {
        nodes: { self: boolean; silentSeconds: number }[]
      }
      for (const each of answer.nodes) if (!each.self) each.silentSeconds = 75
      await route.fulfill({ response, json: answer })
    })
    await page.getByRole('button', { name: 'Refresh' }).click()
    await rows.filter({ hasText: 'does not answer' }).waitFor()
    await until(async () => (await serving.count()) === 1)
    await screenshot(page, 'server-nodes-silent')
    await page.unroute(nodes)
    await callOperator(join(other.folder, 'data'), 'DrainNode', {})
    await page.goto(`${node.url}/console/#/${region}/overview`)
    await page.getByText('1 of 2 serving').waitFor()
    await page.goto(`${node.url}/console/#/${region}/server`)
    await rows.filter({ hasText: 'drained' }).waitFor()
  },
)
