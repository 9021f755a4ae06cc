/** Trails in the console: where they deliver, whether they log, and what one may not see. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateTrailCommand,
  GetTrailStatusCommand,
  type CloudTrailClient,
  type GetTrailStatusResponse,
} from '@aws-sdk/client-cloudtrail'
import type { Locator } from 'playwright-core'
import { openIdentities, type Identities } from '../compat/identities.ts'
import { advance } from '../compat/test-clock.ts'
import { trailClient } from '../compat/trails.ts'
import { region } from '../harness.ts'
import { openPage, screenshot, signIn, until, workplace } from './browser.ts'

const { get } = workplace()

interface Delivering extends Identities {
  readonly archive: string
  readonly trails: CloudTrailClient
}

/** A server that delivers to a directory. Its accounts have the operator's trail. */
async function openDelivering(t: TestContext): Promise<Delivering> {
  const archive = mkdtempSync(join(tmpdir(), 'trent-archive-'))
  t.after(() => rmSync(archive, { recursive: true, force: true }))
  const identities = await openIdentities(t, { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive })
  return { ...identities, archive, trails: trailClient(t, identities.server) }
}

/** The status of the operator's trail as soon as it is as the test wants it. */
async function statusSoon(
  { server, trails }: Delivering,
  isReady: (status: GetTrailStatusResponse) => boolean,
): Promise<void> {
  await until(async () => {
    await advance(server.url, '6m')
    return isReady(await trails.send(new GetTrailStatusCommand({ Name: 'trent' })))
  })
}

test('trails show whether they log, where they deliver, and that deliveries fail', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const delivering = await openDelivering(t)
  const { archive, trails, server } = delivering
  await trails.send(new CreateTrailCommand({ Name: 'orders', S3BucketName: 'trent-audit' }))
  await statusSoon(delivering, (status) => status.LatestDeliveryTime !== undefined)
  const place = { browser: workplaces.browser, server }
  const { page } = await openPage(place)
  await signIn(page, place, undefined, 'trails')
  const rowOf = (name: string): Locator =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) })
  await rowOf('trent').getByText('On', { exact: true }).waitFor()
  const cells = await rowOf('trent').getByRole('cell').allTextContents()
  assert.deepEqual([cells[1], cells[2]], ['trent-audit', 'All Regions'])
  assert.match(cells[3] ?? '', /\d{4}/)
  await rowOf('orders').getByText('None yet').waitFor()
  const own = await rowOf('orders').getByRole('cell').allTextContents()
  assert.deepEqual(own, ['Off', 'trent-audit', `Only ${region}`, 'None yet', 'Off', region])
  await screenshot(page, 'trails-two')
  // A file in the place of the archive: nothing can be delivered.
  rmSync(archive, { recursive: true })
  writeFileSync(archive, '')
  await statusSoon(delivering, (status) => status.LatestDeliveryError !== undefined)
  await page.getByRole('button', { name: 'Refresh' }).click()
  await rowOf('trent').getByText('On, but deliveries fail').waitFor()
  await screenshot(page, 'trails-failing')
})

test('without a trail the screen says how to get one', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { page } = await openPage(place)
  await signIn(page, place, undefined, 'trails')
  await page.getByText('No trail covers this Region.').waitFor()
  await page.getByText('aws cloudtrail create-trail').waitFor()
})

test('a user sees why a trail’s status or the list of trails is not shown', async (t) => {
  const workplaces = get(t)
  if (workplaces === undefined) return
  const { server, newUser } = await openDelivering(t)
  const place = { browser: workplaces.browser, server }
  const open = async (name: string, Action: string): Promise<void> => {
    const { credentials } = await newUser(name, { Action })
    const { page, expect } = await openPage(place)
    expect(/status of 400/)
    await signIn(page, place, credentials, 'trails')
    if (name === 'lister') {
      await page.getByText('Not shown: AccessDeniedException').waitFor()
      await page.getByText('trent-audit').waitFor()
      return
    }
    await page.getByText('The trails could not be listed').waitFor()
    await page.getByText('cloudtrail:DescribeTrails').waitFor()
    await page.getByRole('link', { name: 'Why was this denied?' }).last().waitFor()
  }
  await open('lister', 'cloudtrail:DescribeTrails')
  await open('nobody', 'kms:ListKeys')
})
