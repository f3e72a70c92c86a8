import { formatMinor, type Day } from '@premia/kernel';
import SEPA from 'sepa';
import { plainLetters } from './encode.ts';

/** A credit transfer: amounts in hundredths; `endToEnd` is what the bank's statement will say again. */
export type PainOrder = { amount: bigint; currency: string; account: string; bic?: string; name: string; title: string; endToEnd: string };
export type PainFile = { messageId: string; createdAt: Date; executeOn: Day; payer: { name: string; account: string; bic: string }; orders: readonly PainOrder[] };

const [NAME_MAX, TITLE_MAX] = [70, 140];
/** The characters every bank of the area takes; what is not among them becomes its plain letter, or a dot. */
const sepaText = (text: string, max: number): string => [...plainLetters(text).replace(/[^A-Za-z0-9/\-?:().,'+ ]/g, '.')].slice(0, max).join('').trim();

/**
 * An ISO 20022 customer credit transfer, pain.001.001.09, written by the `sepa` library; the service level of payments that are not in
 * euro is NURG instead of its fixed SEPA. An account number that does not check out is refused by the library's own validation.
 */
export function painFile(file: PainFile): Buffer {
  const document = new SEPA.Document('pain.001.001.09');
  document.grpHdr.id = file.messageId;
  document.grpHdr.created = file.createdAt;
  document.grpHdr.initiatorName = sepaText(file.payer.name, NAME_MAX);
  const info = document.createPaymentInfo();
  info.id = '1';
  info.requestedExecutionDate = new Date(`${file.executeOn}T00:00:00Z`);
  info.debtorIBAN = file.payer.account;
  info.debtorBIC = file.payer.bic;
  info.debtorName = sepaText(file.payer.name, NAME_MAX);
  info.batchBooking = true;
  document.addPaymentInfo(info);
  for (const order of file.orders) {
    const payment = info.createTransaction();
    payment.creditorName = sepaText(order.name, NAME_MAX);
    payment.creditorIBAN = order.account;
    if (order.bic !== undefined) payment.creditorBIC = order.bic;
    payment.end2endId = order.endToEnd;
    payment.amount = Number(formatMinor(order.amount, 2));
    payment.currency = order.currency;
    payment.remittanceInfo = sepaText(order.title, TITLE_MAX);
    info.addTransaction(payment);
  }
  const text = document.toString();
  return Buffer.from(file.orders.every((order) => order.currency === 'EUR') ? text : text.replaceAll('<SvcLvl><Cd>SEPA</Cd></SvcLvl>', '<SvcLvl><Cd>NURG</Cd></SvcLvl>'));
}
