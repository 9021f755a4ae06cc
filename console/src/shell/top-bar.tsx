/** The bar at the top: Region and account are always in sight. @module */
import TopNavigation, {
  type TopNavigationProps,
} from '@cloudscape-design/components/top-navigation'
import { type ReactNode, useState } from 'react'
import type { SignedIn } from '../aws/session.ts'
import { originOf } from '../sign-in/assume-role.ts'
import { SwitchRole } from '../sign-in/switch-role.tsx'
import { text } from '../text/text.ts'
import { useConsole } from './context.ts'
import { chooseMode } from './mode.ts'
import { useNarrow } from './narrow.ts'
import { goTo, hrefOf, type Place } from './router.ts'

export function TopBar({
  signedIn,
  place,
}: {
  readonly signedIn: SignedIn
  readonly place: Place
}): ReactNode {
  const { region, session, settings } = useConsole()
  const [switching, setSwitching] = useState(false)
  const isNarrow = useNarrow()
  const { identity, assumed } = signedIn
  const act = (id: string): void => {
    if (id === 'sign-out') session.signOut()
    else if (id === 'switch') setSwitching(true)
    else if (id === 'back') session.signIn(originOf(signedIn))
    else if (id === 'system' || id === 'light' || id === 'dark') chooseMode(id)
  }
  const utilities: TopNavigationProps.Utility[] = [
    {
      type: 'menu-dropdown',
      text: region,
      ariaLabel: `${text.region}: ${region}`,
      title: text.region,
      iconName: 'globe',
      disableUtilityCollapse: true,
      disableTextCollapse: true,
      items: settings.regions.map((name) => ({ id: name, text: name })),
      // A key of one Region is not in another, so the list is where the user goes on.
      onItemClick: ({ detail }) => goTo(hrefOf(detail.id, place.path.slice(0, 1))),
    },
    {
      type: 'menu-dropdown',
      text: shortName(identity.arn),
      description: `${text.account} ${identity.accountId}`,
      ariaLabel: `${text.account} ${identity.accountId}, ${identity.arn}`,
      title: `${text.account} ${identity.accountId}`,
      iconName: 'user-profile',
      disableUtilityCollapse: true,
      onItemClick: ({ detail }) => act(detail.id),
      items: [
        { id: 'switch', text: text.switchRole },
        ...(assumed === undefined ? [] : [{ id: 'back', text: text.switchBack }]),
        {
          id: 'appearance',
          text: text.appearance,
          items: (['system', 'light', 'dark'] as const).map((id) => ({
            id,
            text: text.appearances[id],
          })),
        },
        { id: 'sign-out', text: text.signOut },
      ],
    },
  ]
  return (
    <div id="top-bar">
      <TopNavigation
        identity={{
          href: hrefOf(region, ['overview']),
          // A phone has room for the account, but not for the product's name before it.
          title: isNarrow ? identity.accountId : `${text.product} · ${identity.accountId}`,
        }}
        utilities={utilities}
      />
      {switching && <SwitchRole signedIn={signedIn} onDone={() => setSwitching(false)} />}
    </div>
  )
}

/** `user/alice` of a user's ARN, `role/session` of a session's. */
function shortName(arn: string): string {
  const resource = arn.split(':').slice(5).join(':')
  return resource.replace(/^assumed-role\//, '')
}
