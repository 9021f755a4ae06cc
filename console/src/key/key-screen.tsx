/** One key: general configuration, and tabs. @module */
import { DescribeKeyCommand, type KeyMetadata, KMSClient } from '@aws-sdk/client-kms'
import Alert from '@cloudscape-design/components/alert'
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Tabs, { type TabsProps } from '@cloudscape-design/components/tabs'
import { type ComponentType, lazy, type ReactNode, Suspense } from 'react'
import { aliasesOf } from '../keys/key-list.ts'
import { KeyActions } from '../keys/key-actions.tsx'
import { typeOf } from '../keys/key-words.ts'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { goTo, hrefOf, replacePlace } from '../shell/router.ts'
import { Loading } from '../shell/screen.tsx'
import type { ScreenProps } from '../shell/screens.ts'
import { keyText } from '../text/key.ts'
import { text } from '../text/text.ts'
import { General } from './general.tsx'

/** What each tab gets. */
export interface KeyTabProps {
  readonly metadata: KeyMetadata
  readonly keyId: string
  /** AWS managed keys are shown, not changed. */
  readonly readOnly: boolean
  /** Reads the key again after a change. */
  readonly changed: () => void
}

type TabId = keyof typeof keyText.tabs

function tab(load: () => Promise<ComponentType<KeyTabProps>>): ComponentType<KeyTabProps> {
  return lazy(async () => ({ default: await load() }))
}

const tabs: Readonly<Record<TabId, ComponentType<KeyTabProps>>> = {
  policy: tab(async () => (await import('./policy-tab.tsx')).PolicyTab),
  cryptography: tab(async () => (await import('./cryptography-tab.tsx')).CryptographyTab),
  material: tab(async () => (await import('./material-tab.tsx')).MaterialTab),
  tags: tab(async () => (await import('./tags-tab.tsx')).TagsTab),
  aliases: tab(async () => (await import('./aliases-tab.tsx')).AliasesTab),
  grants: tab(async () => (await import('./grants-tab.tsx')).GrantsTab),
  regionality: tab(async () => (await import('./regionality-tab.tsx')).RegionalityTab),
  publicKey: tab(async () => (await import('./public-key-tab.tsx')).PublicKeyTab),
  usage: tab(async () => (await import('./usage-tab.tsx')).UsageTab),
  access: tab(async () => (await import('./access-tab.tsx')).AccessTab),
}

/** Tabs that fit the key. */
function tabsOf(metadata: KeyMetadata): readonly TabId[] {
  const isAsymmetric = typeOf(metadata.KeySpec) === 'asymmetric'
  const ids = Object.keys(tabs) as TabId[] // the keys of the literal above
  return ids.filter((id) => id !== 'publicKey' || isAsymmetric)
}

export function KeyScreen({ place }: ScreenProps): ReactNode {
  const { aws, region, keyLists } = useConsole()
  const [, keyId = '', tabId = 'policy'] = place.path
  const { asked, again } = useAsked(`${region} ${keyId}`, async () => {
    const [{ KeyMetadata }, aliases] = await Promise.all([
      aws.run(KMSClient, region, (kms) => kms.send(new DescribeKeyCommand({ KeyId: keyId }))),
      aliasesOf(aws, region, keyId).catch(() => []),
    ])
    if (KeyMetadata === undefined) throw new Error(keyText.failed)
    return { metadata: KeyMetadata, aliases: aliases.map(({ AliasName = '' }) => AliasName) }
  })
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return (
      <SpaceBetween size="m">
        <Header variant="h1">
          <span className="text">{keyId}</span>
        </Header>
        <Failed error={asked.error} title={keyText.failed} again={again} />
      </SpaceBetween>
    )
  }
  const { metadata, aliases } = asked.value
  const readOnly = metadata.KeyManager === 'AWS'
  const list = readOnly ? 'aws-keys' : 'keys'
  const changed = (): void => {
    again()
    // The table keeps its rows while the user is here.
    keyLists.get(region)?.refresh(keyId)
  }
  const title = aliases[0]?.replace(/^alias\//, '') ?? keyId
  const shown = tabsOf(metadata).map((id): TabsProps.Tab => {
    const Tab = tabs[id]
    return {
      id,
      label: keyText.tabs[id],
      content: (
        <Suspense fallback={<Loading />}>
          <Tab metadata={metadata} keyId={keyId} readOnly={readOnly} changed={changed} />
        </Suspense>
      ),
    }
  })
  return (
    <SpaceBetween size="m">
      <BreadcrumbGroup
        ariaLabel={text.breadcrumbs}
        items={[
          {
            text: readOnly ? text.screens.awsKeys : text.screens.keys,
            href: hrefOf(region, [list]),
          },
          { text: title, href: hrefOf(region, [list, keyId]) },
        ]}
        onFollow={(event) => {
          event.preventDefault()
          goTo(event.detail.href)
        }}
      />
      <Header
        variant="h1"
        actions={
          !readOnly && <KeyActions keys={[{ id: keyId, aliases, metadata }]} changed={changed} />
        }
      >
        <span className="text">{title}</span>
      </Header>
      {readOnly && <Alert type="info">{keyText.awsManaged}</Alert>}
      <General metadata={metadata} aliases={aliases} readOnly={readOnly} changed={changed} />
      <Tabs
        activeTabId={tabId}
        tabs={shown}
        onChange={({ detail }) => replacePlace(hrefOf(region, [list, keyId, detail.activeTabId]))}
      />
    </SpaceBetween>
  )
}
