/**
 * The console in a real browser, against a real server. Whatever a page logs, breaks or asks of another host is
 * a failure of its test, and so is a violation of the Content-Security-Policy.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { credentials, region, startTestServer, type TestServer } from '../harness.ts'
import { buildConsole, startChromium } from './chromium.ts'

export interface OpenPage {
  readonly page: Page
  /** Messages of the page that the test expects, such as a refused call. */
  readonly expect: (problem: RegExp) => void
}

/** Server and browser of one test file. */
export interface Workplace {
  readonly server: TestServer
  readonly browser: Browser
}

/** Milliseconds for one step of a page. The machines of CI are slow. */
const stepMs = 60_000

/** Closes the pages of the test that runs, and says what was wrong with them. */
let closings: (() => Promise<readonly string[]>)[] = []

/**
 * Closes pages before what `t.after` stops, which runs in the order in which a test names it. A page that lives
 * longer than its server logs the calls that it still waits for as failed.
 */
async function closePages(): Promise<void> {
  const closing = closings
  closings = []
  const problems = await Promise.all(closing.map((close) => close()))
  assert.deepEqual(problems.flat(), [], 'problems of the page')
}

/** Starts both before the tests of a file. Without Chromium or a built console, each test is skipped. */
export function workplace(settings: Parameters<typeof startTestServer>[0] = {}): {
  readonly get: (t: TestContext) => Workplace | undefined
} {
  let ready: Workplace | undefined
  let why: string | undefined
  let stop = async (): Promise<void> => undefined
  before(async () => {
    why = buildConsole()
    if (why !== undefined) return
    const chromium = await startChromium()
    if ('why' in chromium) {
      why = chromium.why
      return
    }
    const server = await startTestServer(settings)
    ready = { server, browser: chromium.browser }
    stop = async () => {
      await chromium.stop()
      await server.stop()
    }
  })
  after(() => stop())
  afterEach(closePages)
  return {
    get(t) {
      if (ready === undefined) t.skip(why ?? 'there is no browser')
      return ready
    },
  }
}

/** A page of its own, with nothing in its memory. */
export async function openPage(
  { browser, server }: Workplace,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(stepMs)
  const problems: string[] = []
  const expected: RegExp[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(`thrown: ${error.message}`))
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(server.url) && !url.startsWith('data:') && !url.startsWith('blob:')) {
      problems.push(`a request to another host: ${url}`)
    }
  })
  closings.push(async () => {
    await context.close()
    return problems.filter((text) => !expected.some((each) => each.test(text)))
  })
  return { page, expect: (problem) => void expected.push(problem) }
}

/** Looks for what no page shows, or not by itself: a background job, the value of a field. */
const looksMax = 600

/** @throws when it does not come true in 600 looks, which take a minute or more */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 1; !(await holds()); looks += 1) {
    assert.ok(looks < looksMax, 'it did not come true')
    await sleep(100)
  }
}

/** Signs in by the form, as the root user unless `as` says otherwise. */
export async function signIn(
  page: Page,
  { server }: Workplace,
  as: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  } = credentials,
  path = 'keys',
): Promise<void> {
  await page.goto(`${server.url}/console/#/${region}/${path}`)
  await fillSignIn(page, as)
  await page.locator('#top-bar').waitFor()
}

export async function fillSignIn(
  page: Page,
  as: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  },
): Promise<void> {
  await page.getByLabel('Access key ID').fill(as.accessKeyId)
  await page.getByLabel('Secret access key').fill(as.secretAccessKey)
  await page.getByLabel('Session token').fill(as.sessionToken ?? '')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

/** Screenshots for people. Git ignores the folder. */
export const screenshots = join(import.meta.dirname, '../../.cache/console-screens')

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`) })
}
