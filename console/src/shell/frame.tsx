/** The frame around every screen: Region, account and role at the top, navigation at the side. @module */
import AppLayout from '@cloudscape-design/components/app-layout'
import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import type { Aws } from '../aws/aws.ts'
import type { Session, SignedIn } from '../aws/session.ts'
import type { KeyList } from '../keys/key-list.ts'
import { text } from '../text/text.ts'
import { Console, type ConsoleContext, type ServerSettings } from './context.ts'
import { Navigation } from './navigation.tsx'
import { hrefOf, replacePlace, usePlace } from './router.ts'
import { Screen } from './screen.tsx'
import { TopBar } from './top-bar.tsx'

type Message = FlashbarProps.MessageDefinition

/** Messages that are shown at once. Older ones leave. */
const messagesMax = 5

export function Frame(props: {
  readonly aws: Aws
  readonly session: Session
  readonly settings: ServerSettings
  readonly signedIn: SignedIn
}): ReactNode {
  const { aws, session, settings, signedIn } = props
  const place = usePlace()
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [isOpen, setOpen] = useState(() => innerWidth > 900)
  const count = useRef(0)
  const region = settings.regions.includes(place.region) ? place.region : settings.region
  useEffect(() => {
    if (place.region !== region) replacePlace(hrefOf(region, ['keys']))
  }, [place.region, region])
  const { arn } = signedIn.identity
  // Another principal sees other keys.
  const keyLists = useMemo(() => new Map<string, KeyList>(), [arn])
  useEffect(
    () => () => {
      for (const list of keyLists.values()) list.stop()
    },
    [keyLists],
  )
  const context = useMemo<ConsoleContext>(() => {
    const notify: ConsoleContext['notify'] = (message) => {
      count.current += 1
      const id = String(count.current)
      const onDismiss = (): void => setMessages((all) => all.filter((each) => each.id !== id))
      const shown = { dismissible: true, dismissLabel: text.dismiss, ...message, id, onDismiss }
      setMessages((all) => [shown, ...all].slice(0, messagesMax))
    }
    return { aws, session, settings, region, keyLists, notify }
  }, [aws, session, settings, region, keyLists])
  const who = `${arn} ${region}`
  return (
    <Console value={context}>
      <TopBar signedIn={signedIn} place={place} />
      <AppLayout
        headerSelector="#top-bar"
        toolsHide
        navigation={<Navigation place={place} />}
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        notifications={<Flashbar items={[...messages]} stackItems />}
        stickyNotifications
        maxContentWidth={1600}
        ariaLabels={{
          navigation: text.navigation,
          navigationToggle: text.openNavigation,
          navigationClose: text.closeNavigation,
          notifications: text.notifications,
        }}
        content={<Screen key={who} place={place} />}
      />
    </Console>
  )
}
