/** Tags of a key: add, change, remove. @module */
import {
  KMSClient,
  ListResourceTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect, useState } from 'react'
import { useAction, useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Panel } from '../shell/panel.tsx'
import { Loading } from '../shell/screen.tsx'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'
import { problemsOf, type TagEntry, TagFields } from './tag-fields.tsx'

export function TagsTab({ keyId, readOnly, changed }: KeyTabProps): ReactNode {
  const { aws, region, notify } = useConsole()
  const [entries, setEntries] = useState<readonly TagEntry[]>([])
  const { asked, again } = useAsked(`tags ${keyId}`, async () => {
    const { Tags = [] } = await aws.run(KMSClient, region, (kms) =>
      kms.send(new ListResourceTagsCommand({ KeyId: keyId })),
    )
    return Tags.map(({ TagKey: key = '', TagValue: value = '' }) => ({ key, value }))
  })
  useEffect(() => {
    if (asked.state === 'here') setEntries(asked.value)
  }, [asked])
  const { run, running, error } = useAction(async () => {
    if (asked.state !== 'here') return
    const kept = new Set(entries.map(({ key }) => key))
    const removed = asked.value.filter(({ key }) => !kept.has(key)).map(({ key }) => key)
    const before = new Map(asked.value.map(({ key, value }) => [key, value]))
    const set = entries.filter(({ key, value }) => before.get(key) !== value)
    await aws.run(KMSClient, region, async (kms) => {
      if (removed.length > 0) {
        await kms.send(new UntagResourceCommand({ KeyId: keyId, TagKeys: removed }))
      }
      if (set.length > 0) {
        const Tags = set.map(({ key: TagKey, value: TagValue }) => ({ TagKey, TagValue }))
        await kms.send(new TagResourceCommand({ KeyId: keyId, Tags }))
      }
    })
    notify({ type: 'success', content: keyText.saved })
    again()
    changed()
  })
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={keyText.tags.title} again={again} />
  }
  const isChanged = JSON.stringify(entries) !== JSON.stringify(asked.value)
  const isWrong = problemsOf(entries).some((problem) => problem !== '')
  return (
    <Panel
      title={keyText.tags.title}
      hint={keyText.tags.hint}
      actions={
        !readOnly && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button disabled={!isChanged} onClick={() => setEntries(asked.value)}>
              {text.cancel}
            </Button>
            <Button
              variant="primary"
              disabled={!isChanged || isWrong}
              loading={running}
              onClick={run}
            >
              {text.save}
            </Button>
          </SpaceBetween>
        )
      }
    >
      <SpaceBetween size="m">
        <Failed error={error} title={keyText.notSaved} />
        <TagFields entries={entries} onChange={setEntries} readOnly={readOnly} />
      </SpaceBetween>
    </Panel>
  )
}
