/**
 * The Grafana dashboard and the Prometheus alerts in `docs/`: they can be imported, every query is
 * valid, and a running server reports every name and label in them.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DecryptCommand } from '@aws-sdk/client-kms'
import { parser } from '@prometheus-io/lezer-promql'
import { parse } from 'yaml'
import { createMeter } from '../../src/metrics/meter.ts'
import type { NodeRecord } from '../../src/model/node.ts'
import type { RunningNode } from '../../src/server/node.ts'
import { nodeReaders } from '../../src/server/node-readers.ts'
import { anyState } from '../../src/model/key-state.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { startDelivering, traffic } from '../audit/delivery/delivered.ts'
import { importing } from '../compat/importing.ts'
import { advance } from '../compat/test-clock.ts'
import { startTestServer } from '../harness.ts'
import { writtenTls } from '../tls/files.ts'
import { getOverTls } from '../tls/get.ts'
import { certified } from '../wire/certificate.ts'
import { readScraped, scrape } from './scraped.ts'

const docs = join(import.meta.dirname, '../../docs')
const read = (name: string): string => readFileSync(join(docs, name), 'utf8')

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: {
    readonly h: number
    readonly w: number
    readonly x: number
    readonly y: number
  }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const dashboard = JSON.parse(read('grafana-dashboard.json')) as {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly {
      readonly name: string
      readonly type: string
      readonly definition?: string
    }[]
  }
} // its own form, which the tests check

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const alerts = parse(read('prometheus-alerts.yml')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[]
} // as above
const rules = alerts.groups.flatMap((group) => group.rules)

/** Metrics without a panel, each with the reason. */
const notShown: Readonly<Record<string, string>> = {}

/** Labels that Prometheus itself adds to every series. */
const added = ['job', 'instance']

interface Query {
  /** Names of series, with their label matchers. */
  readonly selected: readonly { readonly name: string; readonly matchers: readonly Matcher[] }[]
  /** Labels to group or match by. */
  readonly grouped: readonly string[]
}

interface Matcher {
  readonly label: string
  readonly value: string
}

/** @throws when it is not a query */
function readQuery(text: string): Query {
  const selected: { name: string; matchers: Matcher[] }[] = []
  const grouped: string[] = []
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      const part = text.slice(from, to)
      assert.ok(!type.isError, `at ${from} of ${text}`)
      if (type.name === 'Identifier') selected.push({ name: part, matchers: [] })
      if (type.name === 'UnquotedLabelMatcher') {
        const [, label = '', value = ''] = /^(\w+)\s*(?:=|!=|=~|!~)\s*"(.*)"$/.exec(part) ?? []
        selected.at(-1)?.matchers.push({ label, value })
      }
      if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels') grouped.push(part)
    },
  })
  assert.ok(selected.length > 0, text)
  return { selected, grouped }
}

const variables = /\$(__rate_interval|__range)/g
const panelQueries = dashboard.panels.flatMap((panel) =>
  (panel.targets ?? []).map(({ expr, legendFormat }) => ({
    where: panel.title,
    query: readQuery(expr.replaceAll(variables, '5m')),
    shown: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? ''),
  })),
)
const ruleQueries = rules.map(({ alert, expr, annotations }) => ({
  where: alert,
  query: readQuery(expr),
  shown: [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(
    ([, label]) => label ?? '',
  ),
}))

type Values = ReadonlyMap<string, ReadonlySet<string>>

/**
 * The labels of each series and their values, from a server that has served, refused, failed and
 * delivered.
 */
async function scrapedLabels(): Promise<ReadonlyMap<string, Values>> {
  const { server } = await startDelivering({ after })
  await traffic(server, 1)
  await advance(server.url, '10m')
  const kms = server.client()
  await kms.send(new DecryptCommand({ CiphertextBlob: Buffer.alloc(64) })).catch(() => undefined)
  const { makeExternal, parameters, send } = importing(kms)
  const KeyId = await makeExternal()
  await send(KeyId, randomBytes(32), await parameters(KeyId), {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: new Date(Date.now() + 86_400_000),
  })
  const all = new Map<string, Map<string, Set<string>>>()
  const own = await certified('localhost')
  const { settings } = writtenTls({ after: (fn) => after(fn) }, own)
  const proxies = { TRENT_XKS_PROXY_LISTEN: '127.0.0.1:0' }
  const encrypted = await startTestServer({ ...settings, ...proxies })
  after(() => encrypted.stop())
  const ofTls = readScraped(await getOverTls(encrypted.port, '/metrics', own.authority))
  const backups = mkdtempSync(join(tmpdir(), 'trent-backups-'))
  const backedUp = await startTestServer({ TRENT_BACKUP_DIR: backups, TRENT_TEST_API: 'on' })
  after(async () => {
    await backedUp.stop()
    rmSync(backups, { recursive: true })
  })
  await advance(backedUp.url, '1s')
  const reported = [
    ...(await scrape(server)).keys(),
    ...ofTls.keys(),
    ...(await scrape(backedUp)).keys(),
    ...readScraped(await nodesText()).keys(),
  ]
  for (const series of reported) {
    const [, name = '', inner = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? []
    const labels = all.get(name) ?? new Map(added.map((label) => [label, new Set()]))
    for (const [, label = '', value = ''] of inner.matchAll(/(\w+)="([^"]*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value))
    }
    all.set(name, labels)
  }
  return all
}

/** The metrics of one of two nodes, of which the other one is silent. */
function nodesText(): Promise<string> {
  const nodeId = 'ffffffffffffffff'
  const lost: NodeRecord = {
    nodeId,
    name: 'b',
    deploymentId: 'd',
    state: 'serving',
    firstSeen: 0,
    confirmedAt: 0,
    reachedAt: 0,
    clockOffset: 0,
    appliedSeq: 1,
    appliedId: '0'.repeat(16),
    oldestKey: 1,
    knownKey: 1,
    currentKey: 1,
    positions: [{ stream: `${nodeId}-worker-0`, segment: 1, offset: 4096 }],
    rowVersion: 1,
  }
  const meter = createMeter()
  const node: RunningNode = {
    nodeId: '0000000000000000',
    refusal: () => undefined,
    replication: () => 'single',
    ageMs: () => 10,
    isDraining: () => false,
    nodes: () => [lost],
    follow: () => undefined,
    databaseTime: () => 3_600_000,
    clockOffset: () => ({ ms: 5, errorMs: 1 }),
    clockDiffers: () => undefined,
    enter: () => Promise.resolve(),
    begin: () => undefined,
    close: () => Promise.resolve(),
  }
  meter.observe(nodeReaders(node, { freshnessSeconds: 5 }))
  return meter.text()
}

const scraped = await scrapedLabels()

/** `trent_request_seconds_bucket` belongs to the metric `trent_request_seconds`. */
const familyOf = (name: string): string => name.replace(/_seconds_(bucket|sum|count)$/, '_seconds')

test('Grafana can import the dashboard: variables, panels, units, positions', () => {
  assert.ok(dashboard.schemaVersion >= 36)
  assert.ok(dashboard.title !== '' && dashboard.uid !== '')
  const { list } = dashboard.templating
  assert.deepEqual(
    list.map(({ name, type }) => [name, type]),
    [
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ],
  )
  for (const { definition } of list.slice(1)) {
    const [, selector = ''] = /^label_values\((.*), \w+\)$/.exec(definition ?? '') ?? []
    for (const { name } of readQuery(selector).selected) assert.ok(scraped.has(name), name)
  }
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const shown = panels.filter(({ type }) => type !== 'row')
  for (const { title, datasource, fieldConfig, targets } of shown) {
    assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, title)
    assert.ok((fieldConfig?.defaults.unit ?? '') !== '', `${title} has a unit`)
    assert.ok((targets ?? []).length > 0, title)
  }
  for (const [index, { title, gridPos: one }] of panels.entries()) {
    assert.ok(one.x + one.w <= 24, title)
    for (const { title: another, gridPos: other } of panels.slice(index + 1)) {
      const beside = one.x + one.w <= other.x || other.x + other.w <= one.x
      const above = one.y + one.h <= other.y || other.y + other.h <= one.y
      assert.ok(beside || above, `${title} lies over ${another}`)
    }
  }
})

test('every alert has a duration, a severity, a summary and an action, and is in the documentation', () => {
  const documented = read('metrics.md')
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, for: lasting, labels, annotations } of rules) {
    assert.match(alert, /^Trent[A-Z]\w+$/)
    assert.match(lasting ?? '1m', /^\d+[smh]$/, alert)
    assert.match(labels['severity'] ?? '', /^(info|warning|critical)$/, alert)
    assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook'], alert)
    for (const text of Object.values(annotations)) assert.ok(text.length > 10, alert)
    assert.ok(documented.includes(`\`${alert}\``), `${alert} is in docs/metrics.md`)
  }
})

for (const { where, query, shown } of [...panelQueries, ...ruleQueries]) {
  test(`${where}: a running server reports each series and label`, () => {
    const known = new Set<string>(added)
    for (const { name, matchers } of query.selected) {
      if (name === 'up') continue // Prometheus's own series
      const labels = scraped.get(name)
      assert.ok(labels !== undefined, `${name} is not reported`)
      for (const label of labels.keys()) known.add(label)
      for (const { label, value } of matchers) {
        assert.ok(labels.has(label), `${name} has no label ${label}`)
        assertValues(labels, label, value)
      }
    }
    for (const label of query.grouped) assert.ok(known.has(label), label)
    // A grouped result has exactly the labels of the grouping.
    const left = query.grouped.length > 0 ? new Set(query.grouped) : known
    for (const label of shown) assert.ok(left.has(label), `${label} is not left`)
  })
}

/** A value that no series can have selects nothing, so the alert would never fire. */
function assertValues(shown: Values, label: string, value: string): void {
  if (value.startsWith('$')) return
  const possible: Readonly<Record<string, (one: string) => boolean>> = {
    job: (one) => one === 'trent',
    operation: (one) => kmsRegistry.has(`kms:${one}`),
    state: (one) => anyState.some((state) => state === one),
    outcome: (one) => read('../src/errors.ts').includes(`\n  ${one}: `),
  }
  for (const one of value.split('|')) {
    const may = shown.get(label)?.has(one) === true || possible[label]?.(one) === true
    assert.ok(may, `${label}="${one}"`)
  }
}

test('the server errors of the alert are exactly the outcomes with a status of 500 and above', () => {
  const outcomes = [...ruleQueries, ...panelQueries]
    .flatMap(({ query }) => query.selected.flatMap(({ matchers }) => matchers))
    .filter(({ label, value }) => label === 'outcome' && value.includes('KMSInternalException'))
    .map(({ value }) => value.split('|').toSorted())
  assert.equal(outcomes.length, 2)
  const source = read('../src/errors.ts')
  const codes = [...source.matchAll(/^ {2}(\w+): 5\d\d,$/gm)].map(([, code]) => code ?? '')
  for (const named of outcomes) assert.deepEqual(named, codes.toSorted())
})

test('every metric has a panel, and a line in the documentation', () => {
  const shown = new Set(
    panelQueries.flatMap(({ query }) => query.selected.map(({ name }) => familyOf(name))),
  )
  const documented = read('metrics.md')
  const families = new Set([...scraped.keys()].map(familyOf))
  assert.ok(families.size > 25)
  for (const family of families) {
    assert.ok(shown.has(family) !== Object.hasOwn(notShown, family), `${family} has one panel`)
    assert.ok(documented.includes(`\`${family}\``), `${family} is in docs/metrics.md`)
  }
})
