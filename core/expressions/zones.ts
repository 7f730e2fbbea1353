export function zoneAt(_name: string, _unixSeconds: number): string {
  return "0|UTC";
}
