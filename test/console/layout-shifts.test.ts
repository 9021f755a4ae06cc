/** Layout shifts of the console while its screens load: the measure of Web Vitals, as Chromium reports it. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import type { Page } from 'playwright-core'
import { credentials, region } from '../harness.ts'
import { fillSignIn, openPage, workplace } from './browser.ts'

const { get } = workplace()
/** Web Vitals call a page good up to this. */
const shiftMax = 0.1
/** Answers come after the page is painted without them, on any machine. */
const answerMs = 250
/**
 * Longer than two answers, one after the other: what comes later than the text counts, too. And far longer than
 * the half second after a click in which Chromium counts no shift.
 */
const quietMs = 1000

interface Shifts {
  readonly sum: number
  /** What moved, for people. */
  readonly moved: readonly string[]
}

const observe = `(() => {
  globalThis.shifts = { sum: 0, moved: [] }
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (hadRecentInput) continue
      shifts.sum += value
      for (const { node } of sources) {
        shifts.moved.push(value.toFixed(4) + ' ' + (node?.textContent ?? '').trim().slice(0, 60))
      }
    }
  }).observe({ type: 'layout-shift', buffered: true })
})()`

/** The shifts since it was asked last. */
async function shiftsOf(page: Page): Promise<Shifts> {
  await sleep(quietMs)
  return page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => {
    const found = shifts
    globalThis.shifts = { sum: 0, moved: [] }
    resolve(found)
  })))`)
}

/** Each by a text that is there once it has its data. */
const screens = [
  ['overview', 'None of these calls was refused.'],
  ['keys', 'app/steady'],
  ['keys/KEY/policy', 'Sid'],
  ['keys/KEY/material', 'Key materials'],
  ['keys/KEY/usage', 'Show activity of this key'],
  ['stores', 'There are no custom key stores'],
  ['activity', 'CreateAlias'],
  ['server', 'Opens by itself'],
] as const

for (const [width, height] of [
  [1400, 900],
  [390, 844],
] as const) {
  test(`nothing jumps while a screen loads, ${width} pixels wide`, async (t) => {
    const place = get(t)
    if (place === undefined) return
    const kms = place.server.client()
    const { KeyMetadata } = await kms.send(new CreateKeyCommand())
    const TargetKeyId = KeyMetadata?.KeyId ?? ''
    const AliasName = `alias/app/steady-${width}`
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
    const found = new Map<string, Shifts>()
    for (const [path, text] of screens) {
      // Each in a page that has not asked for anything yet.
      const { page } = await openPage(place, { viewport: { width, height } })
      await page.addInitScript(observe)
      await page.route('**/*', async (route) => {
        await sleep(answerMs)
        await route.continue()
      })
      await page.goto(`${place.server.url}/console/#/${region}/nowhere`)
      await page.getByLabel('Access key ID').waitFor()
      found.set(`sign-in before ${path}`, await shiftsOf(page))
      await fillSignIn(page, credentials)
      await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
      // Far longer than the input counts.
      await shiftsOf(page)
      const fragment = `#/${region}/${path.replace('KEY', TargetKeyId)}`
      await page.goto(`${place.server.url}/console/${fragment}`)
      await page.getByText(text).first().waitFor()
      found.set(path, await shiftsOf(page))
      await page.context().close()
    }
    const text = [...found].map(([name, { sum }]) => `${name} ${sum.toFixed(3)}`).join(', ')
    t.diagnostic(`layout shifts: ${text}`)
    for (const [name, { sum, moved }] of found) {
      assert.ok(sum <= shiftMax, `${name}: ${sum.toFixed(3)}\n${moved.join('\n')}`)
    }
  })
}
