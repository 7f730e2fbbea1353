const adjectives = words(`
  able agile airy amber ample apt ardent azure bold brave breezy bright brisk calm candid careful cheery
  civil clear clever cosy crisp curious dapper daring deft dewy eager early earnest easy elegant even fair
  faithful fancy fearless fleet fluent fond frank free fresh frosty gentle gifted glad golden good graceful
  grand handy happy hardy hearty helpful honest humble jaunty jolly jovial keen kind lively loyal lucid
  lucky mellow merry mighty mild modest neat nifty nimble noble peppy perky placid plucky polite prime
  proud prudent quick quiet rapid ready regal robust rosy rugged sage sandy serene sharp shiny silent
  silver sincere smart smooth snug sober solid spry stable steady still stout sturdy subtle sunny sure
  swift tidy tranquil trusty upbeat valiant velvet vivid warm wary wise witty zesty zippy
`);

const animals = words(`
  adder albatross alpaca ant antelope badger bat bear beaver bee beetle bison boar bobcat buffalo bustard
  camel caracal carp cat chamois cheetah cobra condor coot corgi cougar coyote crab crane cricket crow
  curlew deer dingo dolphin donkey dormouse dove duck eagle eel egret elk emu ermine falcon ferret finch
  flamingo fox frog gannet gazelle gecko gibbon giraffe gnu goat goose grebe grouse guanaco gull hare
  harrier hawk hedgehog heron hippo hornet horse hound hyena ibex ibis iguana impala jackal jaguar jay
  kestrel kingfisher kite kiwi koala kudu lapwing lark lemming lemur leopard linnet lion lizard llama
  lobster lynx macaw magpie mallard mammoth manatee marlin marmot marten mink mole moose moth mule muskrat
  newt ocelot octopus orca oriole oryx osprey otter owl ox panda panther parrot pelican penguin perch
  pheasant pigeon pika plover pony puffin puma quail rabbit raccoon ram raven reindeer robin salmon seal
  serval shark sheep shrew skylark sloth snail sparrow spider squid stag starling stoat stork swan swift
  tapir teal tern thrush tiger toad tortoise trout tuna turtle viper vole walrus wasp weasel whale wolf
  wombat wren yak zebra
`);

/** How many pairs of words are tried before a number is added. */
const attempts = 50;

/** A name for people that is not taken yet: `brisk-otter`, and in a full project `brisk-otter-17`. */
export async function freeAlias(
  isTaken: (alias: string) => Promise<boolean>,
  random: () => number = Math.random,
): Promise<string> {
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? "";
  for (let attempt = 0; ; attempt++) {
    const pair = `${pick(adjectives)}-${pick(animals)}`;
    const alias = attempt < attempts ? pair : `${pair}-${Math.floor(random() * 10 * attempt)}`;
    if (!(await isTaken(alias))) return alias;
  }
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
