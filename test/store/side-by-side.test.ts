/**
 * Nodes of two successive versions that use one database while it is upgraded, with made-up versions: one
 * adds a column, a later one gives it values, and another column leaves in steps.
 * @module
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sql } from 'kysely'
import { createBoundRows } from '../../src/store/bound-rows.ts'
import type { Database, Engine } from '../../src/store/database.ts'
import { type Migration, migrate, migrations } from '../../src/store/migrations.ts'
import { number, optional, rowTag, since, text } from '../../src/store/schema/columns.ts'
import { everyTable } from '../../src/store/schema/schema.ts'
import { type RecordTable, type Table, tableOf } from '../../src/store/schema/table.ts'
import { tableReads, tableWrites } from '../../src/store/tables/table-rows.ts'
import { engines, keyring } from './engines.ts'

/** The version that adds the table. */
const first = migrations.length + 1

interface Plain {
  readonly noteId: string
  readonly words: number
  readonly rowVersion: number
}
type Note = Plain & { readonly mood?: string; readonly language?: string }

const columns = {
  note_id: text('noteId'),
  words: number('words'),
  row_version: number('rowVersion'),
  row_tag: rowTag,
}
const notes = { name: 'notes', primaryKey: ['note_id'], since: first } as const
const change = { kind: 'key', id: ['note_id'] } as const
const language = since(first + 1, optional(text('language')))
const mood = { kind: 'text', unused: first + 1 } as const
const unnamed = { ...mood, unnamed: first + 2 }

/** The table as each version of Trent describes it, oldest first. */
const described = [
  tableOf<Plain & { readonly mood?: string }>()({
    ...notes,
    change,
    primaryKey: ['note_id'],
    columns: { ...columns, mood: optional(text('mood')) },
  }),
  ...[mood, unnamed, { ...unnamed, removed: first + 3 }].map((left) =>
    tableOf<Plain & { readonly language?: string }>()({
      ...notes,
      change,
      primaryKey: ['note_id'],
      columns: { ...columns, language },
      former: { mood: left },
    }),
  ),
] as unknown as readonly RecordTable<Note, 'notes'>[]

const steps: readonly Migration[] = [
  ...migrations,
  ...described.map((_, index) => ({ name: `notes ${index}` })),
]

async function upgradeTo(index: number, { query }: Database, engine: Engine): Promise<void> {
  const tables: readonly Table[] = [...everyTable, described[index] ?? assert.fail()]
  await migrate(query, engine, { tables, steps: steps.slice(0, first + index) })
}

interface Node {
  readonly insert: (note: Omit<Note, 'rowVersion'>) => Promise<void>
  /** Reads the note, which must be genuine, and writes its next version. */
  readonly update: (noteId: string, changes: Partial<Note>) => Promise<Note>
  readonly find: (noteId: string) => Promise<Note>
}

/** A node of this version of Trent. */
function nodeOf(index: number, { query }: Database): Node {
  const table = described[index] ?? assert.fail()
  const rows = createBoundRows(keyring, (name, id) => assert.fail(`${name}/${id} is forged`))
  const scope = { query, rows, touch: () => {} }
  const reads = tableReads(table, scope as never)
  const writes = tableWrites(table, scope as never)
  const find = async (noteId: string): Promise<Note> =>
    (await reads.find({ noteId })) ?? assert.fail('not found')
  return {
    find,
    insert: async (note) => void (await writes.insert(note)),
    update: async (noteId, changes) => await writes.update(await find(noteId), changes),
  }
}

async function opened(
  t: TestContext,
  open: (t: TestContext) => Promise<{ readonly database: Database }>,
): Promise<Database> {
  return (await open(t)).database
}

for (const { name: engine, open } of engines) {
  test(`${engine}: nodes of two successive versions read and write the same rows`, async (t) => {
    const database = await opened(t, open)
    await upgradeTo(0, database, engine)
    const [one, two, three, four] = [0, 1, 2, 3].map((index) => nodeOf(index, database))
    assert.ok(one && two && three && four)
    await one.insert({ noteId: 'a', words: 1, mood: 'glad' })

    // The first node goes on while the second one adds a column and no longer reads another.
    await upgradeTo(1, database, engine)
    await one.insert({ noteId: 'b', words: 1, mood: 'sad' })
    await two.insert({ noteId: 'c', words: 1 })
    assert.equal((await one.find('b')).mood, 'sad')
    for (const noteId of ['a', 'b', 'c']) {
      await two.update(noteId, { words: 2 })
      assert.deepEqual(await one.find(noteId), { noteId, words: 2, rowVersion: 2 })
      await one.update(noteId, { words: 3, mood: 'calm' })
      assert.deepEqual(await two.find(noteId), { noteId, words: 3, rowVersion: 3 })
    }

    // No value may be left when statements stop to name the column.
    const left = /rows of notes still have a value in mood/
    await assert.rejects(upgradeTo(2, database, engine), left)
    for (const noteId of ['a', 'b', 'c']) await two.update(noteId, { words: 4 })
    await upgradeTo(2, database, engine)
    await three.update('a', { language: 'en' })
    assert.equal((await two.update('a', { words: 5 })).language, 'en')
    await two.insert({ noteId: 'd', words: 1 })
    assert.equal((await three.update('d', { language: 'fr' })).words, 1)

    await upgradeTo(3, database, engine)
    await assert.rejects(sql`SELECT mood FROM notes`.execute(database.query), /mood/)
    await three.update('a', { words: 6 })
    await four.update('a', { words: 7 })
    await four.insert({ noteId: 'e', words: 1, language: 'de' })
    const updated = { noteId: 'e', words: 2, language: 'de', rowVersion: 2 }
    assert.deepEqual(await three.update('e', { words: 2 }), updated)
    assert.deepEqual(await four.find('e'), updated)
  })

  test(`${engine}: a node that does not know a column leaves its value out of the tag`, async (t) => {
    const database = await opened(t, open)
    await upgradeTo(0, database, engine)
    await upgradeTo(1, database, engine)
    // Why a column gets values only when every node knows it.
    await nodeOf(1, database).insert({ noteId: 'a', words: 1, language: 'en' })
    await nodeOf(0, database).update('a', { words: 2 })
    await assert.rejects(nodeOf(1, database).find('a'), /notes\/a is forged/)
  })

  test(`${engine}: a column that leaves in fewer steps is refused before anything changes`, async (t) => {
    const { query } = await opened(t, open)
    const wrong = [
      { unused: first },
      { unused: first + 1, unnamed: first + 1 },
      { unused: first + 1, removed: first + 2 },
      { unused: first + 1, unnamed: first + 2, removed: first + 2 },
      { unused: first + 3, unnamed: first + 2, removed: first + 4 },
    ]
    for (const of of wrong) {
      const table: Table = { ...notes, columns, former: { mood: { kind: 'text', ...of } } }
      await assert.rejects(
        migrate(query, engine, { tables: [...everyTable, table], steps }),
        /^TypeError: the column mood of notes must leave in one step a version$/,
      )
    }
    await assert.rejects(sql`SELECT 1 FROM notes`.execute(query), /notes/)
  })
}
