import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { apiDate, renderAnswer } from './envelope.js';

const zones = {
  count: 2,
  zone: [
    { id: 'a', name: 'x<y & "z"', tags: [], gone: null },
    { id: 'b', isOn: true, at: undefined },
  ],
};

test('JSON has the envelope and no null fields', () => {
  expect(renderAnswer('JSON', 'listzonesresponse', zones)).toEqual({
    contentType: 'application/json; charset=UTF-8',
    body: '{"listzonesresponse":{"count":2,"zone":[{"id":"a","name":"x<y & \\"z\\"","tags":[]},{"id":"b","isOn":true}]}}',
  });
});

test('XML is the default, with a repeated element per entry and the version', () => {
  expect(renderAnswer(undefined, 'listzonesresponse', zones)).toEqual({
    contentType: 'text/xml; charset=UTF-8',
    body:
      '<?xml version="1.0" encoding="UTF-8"?><listzonesresponse cloud-stack-version="4.22.0.0"><count>2</count>' +
      '<zone><id>a</id><name>x&lt;y &amp; &quot;z&quot;</name></zone><zone><id>b</id><isOn>true</isOn></zone></listzonesresponse>',
  });
});

test('an empty list is an empty object', () => {
  expect(renderAnswer('json', 'listzonesresponse', {}).body).toBe('{"listzonesresponse":{}}');
  expect(renderAnswer('xml', 'listzonesresponse', {}).body).toContain(
    '<listzonesresponse cloud-stack-version="4.22.0.0"></listzonesresponse>',
  );
});

it.each([
  ['markup', ']]></x><script>&amp;\u00e9\u{1f600}'],
  ['names of object internals', 'constructor'],
])('strings of strangers come out of the XML as they went in: %s', (text) => {
  const { body } = renderAnswer('xml', 'r', { details: { [text === 'constructor' ? text : 'k']: text } });
  const parsed = new XMLParser().parse(body) as { r: { details: Record<string, string> } };
  expect(XMLValidator.validate(body)).toBe(true);
  expect(Object.values(parsed.r.details)).toEqual([text]);
});

test('characters that no XML may have do not spoil the document', () => {
  expect(renderAnswer('xml', 'r', { text: 'a\u0001b\ufffec\ud800' }).body).toContain(
    '<text>a\ufffdb\ufffdc\ufffd</text>',
  );
});

it.each([
  ['2025-11-26 11:24:00.123456+00', '2025-11-26T11:24:00+0000'],
  ['2025-11-26 11:24:00+05:30', '2025-11-26T05:54:00+0000'],
  ['2025-11-26T11:24:00.000Z', '2025-11-26T11:24:00+0000'],
  [null, undefined],
])('a date of %s is %s', (instant, expected) => {
  expect(apiDate(instant)).toBe(expected);
});
