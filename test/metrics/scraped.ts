/** The answer of `GET /metrics` of a test server. @module */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestServer } from '../harness.ts'

/** Values by their names with labels, as in the text: `trent_keys{state="Enabled"}`. */
export type Scraped = ReadonlyMap<string, number>

export async function scrape({ url }: Pick<TestServer, 'url'>): Promise<Scraped> {
  const response = await fetch(`${url}/metrics`)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  return readScraped(await response.text())
}

/** @param text the body of an answer */
export function readScraped(text: string): Scraped {
  const lines = text.split('\n').filter((line) => /^[^#]/.test(line))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      assert.ok(name !== undefined && Number.isFinite(Number(value)), line)
      return [name, Number(value)]
    }),
  )
}

/** Scrapes until the condition holds; returns the last values. */
export async function scrapeUntil(
  server: Pick<TestServer, 'url'>,
  isSo: (figures: Scraped) => boolean,
): Promise<Scraped> {
  for (let tries = 0; tries < 600; tries += 1) {
    const figures = await scrape(server)
    if (isSo(figures)) return figures
    await sleep(50)
  }
  return assert.fail('the figures never came to it')
}
