import { t } from '@premia/ui';

export const CHANNELS = ['email', 'sms', 'phone'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The very words that are consented to, kept with the consent. */
export const wordingOf = (channel: string): string => ({
  email: t('Chcę dostawać informacje handlowe organizatora programu e-mailem. Zgodę mogę wycofać w każdej chwili.', 'I want commercial information from the program’s organizer by e-mail. I may take this consent back at any time.'),
  sms: t('Chcę dostawać informacje handlowe organizatora programu SMS-em. Zgodę mogę wycofać w każdej chwili.', 'I want commercial information from the program’s organizer by text message. I may take this consent back at any time.'),
  phone: t('Chcę, by organizator programu dzwonił do mnie z informacjami handlowymi. Zgodę mogę wycofać w każdej chwili.', 'I want the program’s organizer to call me with commercial information. I may take this consent back at any time.'),
}[channel] ?? channel);
export const channelName = (channel: string): string => ({ email: t('E-mail', 'E-mail'), sms: t('SMS', 'Text message'), phone: t('Telefon', 'Telephone') }[channel] ?? channel);
