/**
 * Every screen and every dialog, light and dark, wide and on a phone: axe finds nothing, nothing is cut, and a
 * screenshot goes to a folder for people.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { accountId, region } from '../harness.ts'
import { startFakeProxy } from '../keystores/external/fake-proxy.ts'
import { openPage, screenshot, signIn, workplace } from './browser.ts'
import { seeded } from './seeded.ts'
import { dialogsOf, screensOf, type Shown } from './shown-screens.ts'

/** A provider that nobody asks. */
const provider = 'Example:issuer=https://login.example.com;client-id=trent-console'
const archive = mkdtempSync(join(tmpdir(), 'trent-archive-'))
after(() => rmSync(archive, { recursive: true, force: true }))
const proxy = await startFakeProxy()
after(() => proxy.stop())
const { get } = workplace({
  ...proxy.settings(archive),
  TRENT_TEST_API: 'on',
  TRENT_AUDIT_DIR: join(archive, 'records'),
  TRENT_CONSOLE_SIGN_IN: `${provider};role=arn:aws:iam::111122223333:role/people`,
})

const everyLook = [
  ['light', 1400, 900],
  ['dark', 390, 844],
  ['dark', 1400, 900],
  ['light', 390, 844],
] as const
/** Two looks have both schemes and both sizes. CONSOLE_LOOKS=all takes the other two as well. */
const looks = process.env['CONSOLE_LOOKS'] === 'all' ? everyLook : everyLook.slice(0, 2)

for (const [scheme, width, height] of looks) {
  test(`every screen is accessible, ${scheme}, ${width} pixels wide`, async (t) => {
    const place = get(t)
    if (place === undefined) return
    const made = await seeded(t, place, proxy)
    const options = { colorScheme: scheme, viewport: { width, height } }
    const { page, expect } = await openPage(place, options)
    // One of the screens shows a refusal.
    expect(/status of 400/)
    const size = width < 600 ? 'phone' : 'wide'
    await page.goto(`${place.server.url}/console/`)
    await page.getByLabel('Access key ID').waitFor()
    const found = [await violations(page, 'sign-in')]
    await screenshot(page, `sign-in-${scheme}-${size}`)
    await signIn(page, place)
    const look = async ({ name, path, text, act }: Shown): Promise<void> => {
      // What one screen has open does not lie over the next, also if that is the same screen.
      await page.goto(`${place.server.url}/console/#/${region}/nowhere`)
      await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
      await page.goto(`${place.server.url}/console/#/${region}/${path}`)
      await act?.(page)
      await page.getByText(new RegExp(text)).first().waitFor()
      found.push(await violations(page, name), await cut(page, name))
      await screenshot(page, `${name}-${scheme}-${size}`)
    }
    for (const each of [...screensOf(made), ...dialogsOf(made)]) await look(each)
    assert.deepEqual(found.flat(), [])
  })
}

/** What a screen cuts: itself, when it is wider than the window, and the account and Region at the top. */
async function cut(page: Page, name: string): Promise<string[]> {
  const found = await page.evaluate<string[]>(`((wanted) => {
    const problems = []
    scrollTo(0, document.documentElement.scrollHeight)
    const bar = document.querySelector('#top-bar').getBoundingClientRect()
    scrollTo(0, 0)
    if (bar.top !== 0) problems.push('the account and the Region leave the sight')
    const width = document.documentElement.scrollWidth
    if (width > innerWidth) problems.push('the page is ' + width + ' pixels wide')
    for (const text of wanted) {
      const shown = [...document.querySelectorAll('#top-bar header *')].find((element) =>
        element.childElementCount === 0 && element.textContent.includes(text))
      const box = shown?.getBoundingClientRect()
      const isWhole = box !== undefined && box.width > 0 && box.left >= 0 && box.right <= innerWidth
      if (!isWhole || shown.scrollWidth > shown.clientWidth) problems.push(text + ' is cut')
    }
    return problems
  })(${JSON.stringify([accountId, region])})`)
  return found.map((each) => `${name}: ${each}`)
}

/** Cloudscape's button of the navigation on a phone has `aria-expanded` on its `nav`, too. */
const excluded = ['nav[class*=mobile-toolbar-nav]']

/** What axe finds, as `screen: rule: selector`. */
async function violations(page: Page, name: string): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate<string[]>(`axe.run({ exclude: ${JSON.stringify(excluded)} }, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target }) => id + ': ' + target.join(' '))))`)
  return found.map((each) => `${name}: ${each}`)
}
