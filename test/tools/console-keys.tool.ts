/**
 * 10,000 keys in the console: listed, paged, filtered and described in the background, without a stall. It prints
 * how long the first table and a letter in the filter take, and the bytes that the browser loads.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { fillSignIn, openPage, screenshot, workplace } from '../console/browser.ts'
import { credentials, region } from '../harness.ts'

const { get } = workplace()
const wanted = 10_000

/** Milliseconds that the page's thread has worked, and how long its longest tasks were. */
async function work(page: Page): Promise<{ readonly spent: () => Promise<number> }> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return {
    async spent() {
      const { metrics } = await session.send('Performance.getMetrics')
      return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000
    },
  }
}

test('10,000 keys are listed, paged and filtered, and all of them are described', async (t) => {
  const place = get(t)
  if (place === undefined) return
  const { server } = place
  const kms = server.client()
  let needle = ''
  for (let made = 0; made < wanted; made += 50) {
    const keys = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        kms.send(
          new CreateKeyCommand({
            Description: `number ${made + at}`,
            Tags: [{ TagKey: 'team', TagValue: `team-${(made + at) % 20}` }],
          }),
        ),
      ),
    )
    needle = keys[0]?.KeyMetadata?.KeyId ?? ''
  }
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/needle', TargetKeyId: needle }))
  const { page } = await openPage(place)
  const loaded: Promise<number>[] = []
  page.on('requestfinished', (request) => {
    if (!request.url().includes('/console/')) return
    loaded.push(request.sizes().then(({ responseBodySize }) => responseBodySize))
  })
  const { spent } = await work(page)
  await page.goto(`${server.url}/console/#/${region}/keys`)
  await page.getByLabel('Access key ID').waitFor()
  const before = await spent()
  const began = performance.now()
  await fillSignIn(page, credentials)
  await page.getByText('(10,000)').waitFor()
  await page.getByRole('row').nth(20).waitFor()
  const listed = performance.now() - began
  const bytes = (await Promise.all(loaded)).reduce((sum, size) => sum + size, 0)
  t.diagnostic(
    `first table: ${Math.round(listed)} ms after the sign-in, ${Math.round((await spent()) - before)} ms ` +
      `of work in the page, ${Math.round(bytes / 1024)} KiB loaded`,
  )
  // The rows in sight are described before the others.
  await page.getByRole('row').nth(20).getByText('Enabled').waitFor()
  await page.getByText(/Describing keys/).waitFor()
  await screenshot(page, 'ten-thousand-keys')
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.getByRole('row').nth(20).getByText('Enabled').waitFor()
  // Each letter while descriptions still arrive in the background.
  const filter = page.getByPlaceholder('Find keys by alias, key ID or property')
  await filter.focus()
  const letters: number[] = []
  for (const letter of 'needle') {
    const had = await spent()
    const start = performance.now()
    await page.keyboard.press(letter)
    // A frame is drawn: the letter is in sight.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))')
    letters.push(performance.now() - start)
    t.diagnostic(
      `letter ${letter}: ${Math.round(letters.at(-1) ?? 0)} ms until it is drawn, ` +
        `${Math.round((await spent()) - had)} ms of work`,
    )
  }
  const had = await spent()
  const start = performance.now()
  await page.keyboard.press('Enter')
  await page.getByText('(1/10,000)').waitFor()
  t.diagnostic(
    `the filter applied: ${Math.round(performance.now() - start)} ms, ` +
      `${Math.round((await spent()) - had)} ms of work`,
  )
  await page.getByRole('row').filter({ hasText: needle }).waitFor()
  // Every key is described in the end.
  await page.getByText(/Describing keys/).waitFor({ state: 'hidden', timeout: 600_000 })
  t.diagnostic(`all keys described: ${Math.round((performance.now() - began) / 1000)} s after`)
  await page.goto(
    `${server.url}/console/#/${region}/keys?filter=${encodeURIComponent(
      JSON.stringify({
        tokens: [{ propertyKey: 'tag:team', operator: '=', value: 'team-7' }],
        operation: 'and',
      }),
    )}`,
  )
  await page.getByText('(500/10,000)').waitFor()
  assert.equal(await page.getByRole('row').count(), 21)
})
