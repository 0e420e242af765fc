/* a
require(
`${
import "a
from '\