/** The runbook has a section for each alarm, and each alarm leads to its section. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'

const docs = join(import.meta.dirname, '../../docs')
const read = (name: string): string => readFileSync(join(docs, name), 'utf8')

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string
      readonly annotations: { readonly runbook?: string }
    }[]
  }[]
}

const rules = (parse(read('prometheus-alerts.yml')) as Alerts).groups.flatMap(
  (group) => group.rules,
)
const sections = new Map(
  read('operations/runbook.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [name = '', ...lines] = section.split('\n')
      return [name, lines.join('\n')] as const
    }),
)

test('each alarm has a section that says what it means, what is at risk, what to do, and when it is over', () => {
  assert.deepEqual([...sections.keys()].toSorted(), rules.map(({ alert }) => alert).toSorted())
  for (const [name, section] of sections) {
    const parts = [...section.matchAll(/^- \*\*([A-Za-z ]+)\*\*: \S/gm)].map(([, part]) => part)
    assert.deepEqual(parts, ['Means', 'At risk', 'Do', 'Over'], name)
  }
})

test('each alarm names its section', () => {
  for (const { alert, annotations } of rules) {
    assert.equal(annotations.runbook, `docs/operations/runbook.md#${alert.toLowerCase()}`)
  }
})
